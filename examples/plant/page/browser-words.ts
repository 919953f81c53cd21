/** What the page says. */
import type { MischiefCode } from './told';

interface Words {
  /** On the buttons: do it, and mend it where it lasts. */
  pull: string;
  mend?: string;
  /** What to look for. */
  told: string;
}

export const WORDS: Record<MischiefCode, Words> = {
  cable: {
    pull: 'Pull the network cable',
    mend: 'Plug it in again',
    told: 'Network cable pulled. The PLC goes on weighing and keeps its batches; they are read when the cable is back.',
  },
  stop: {
    pull: 'Put the CPU in STOP',
    mend: 'Back to RUN',
    told: 'CPU in STOP. Weights stand still; nothing that was read is read twice.',
  },
  mistyped: {
    pull: 'Type a wrong order number',
    told: 'The next order is typed wrong. Its kilograms are kept under the wrong number until a person says whose they are.',
  },
  'typed-over': {
    pull: 'Type over a finished batch',
    told: 'Another number is typed over a finished batch. Its weights are not given to that order.',
  },
  'node-red': {
    pull: 'Kill Node-RED',
    mend: 'Start it again',
    told: 'Node-RED killed, in the middle of whatever it did. It goes on from what the database holds.',
  },
  database: {
    pull: 'Kill the database',
    told: 'PostgreSQL killed. It is started again; what was committed is there.',
  },
  'odoo-down': {
    pull: 'Switch Odoo off',
    mend: 'Switch it on',
    told: 'Odoo is off. What was weighed waits in the database and is sent when Odoo is back.',
  },
  forgets: {
    pull: 'Let it answer and forget',
    mend: 'Let it remember',
    told: 'Odoo says "success" and keeps nothing. Every figure is read back, so nothing is taken for confirmed.',
  },
  password: {
    pull: 'Change the password',
    mend: 'Change it back',
    told: 'The password was changed in Odoo. Everything waits; no login is tried so often that Odoo locks the user out.',
  },
  cancelled: {
    pull: 'Cancel an order',
    told: 'An order that is being weighed was cancelled in Odoo. Its weights are kept until a person decides.',
  },
};

export const PHASES = {
  free: 'free',
  entered: 'entered',
  weighing: 'weighing',
  weighed: 'weighed',
  complete: 'complete',
} as const;

const KG = new Intl.NumberFormat(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2 });

/** Kilograms as people write them where they live. */
export const kg = (value: number): string => `${KG.format(value)} kg`;

export const count = (number: number, one: string, many = `${one}s`): string =>
  `${number} ${number === 1 ? one : many}`;

export const time = (iso: string): string => new Date(iso).toLocaleTimeString();
