/** What the page is told, by the demo's server to its script in the browser: shapes alone. */

export type MischiefCode =
  | 'cable'
  | 'stop'
  | 'mistyped'
  | 'typed-over'
  | 'node-red'
  | 'database'
  | 'odoo-down'
  | 'forgets'
  | 'password'
  | 'cancelled';

/** A slot of the PLC; kg as its memory shows them now. */
export interface SlotPicture {
  slot: number;
  phase: 'free' | 'entered' | 'weighing' | 'weighed' | 'complete';
  /** What stands in the slot, whoever typed it. */
  number: string;
  kg: number;
  /** Share of the weighing, 0 to 1. */
  share: number;
}

/** kg of one silo since the start: out of the silo by the PLC's memory, and in Odoo by its own stock moves. */
export interface SiloPicture {
  tag: string;
  weighed: number;
  confirmed: number;
}

/** What was done to the plant, and whether every kilogram that it befell has arrived. */
export interface DeedPicture {
  id: number;
  code: MischiefCode;
  /** ISO times; what is over at once is mended at once. */
  at: string;
  mended?: string;
  /** It has not happened yet: it befalls the next batch that it can. */
  coming: boolean;
  /** Orders that it befell, and those of them whose batch is in the history. */
  befallen: number;
  arrived: number;
  /** Orders that a person has to decide about, by their numbers in the PLC. */
  asks: string[];
  /** kg of the arrived ones, in Odoo by its own stock moves; of those put aside by a person, what was weighed. */
  kg: number;
}

/** The queue as a person would count it. */
export interface Counts {
  queued: number;
  running: number;
  completed: number;
  needs_person: number;
  archived: number;
}

export interface Picture {
  slots: SlotPicture[];
  silos: SiloPicture[];
  /** undefined: the database cannot be reached now. */
  database?: Counts;
  odoo: { open: number; progress: number; done: number; cancelled: number };
  /** kg since the start, all silos: in the PLC, in the database, in Odoo, and what a person took out of the way. */
  kg: { weighed: number; stored?: number; confirmed: number; set_apart: number };
  /** What was done, the last one first. */
  deeds: DeedPicture[];
  /** Archived batches in which the three agree silo by silo, and what does not agree; orders ever queued, pushes confirmed. */
  account?: { queued: number; pushed: number; archived: number; kg: number; differences: number };
}

/** What the page is told: a picture, and how the processes are. */
export interface Told extends Picture {
  at: string;
  node_red: { up: boolean; url: string };
  plc: { cable: boolean; running: boolean };
}
