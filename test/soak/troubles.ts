/** What one life of Node-RED suffers besides its end: a plan that the seed alone decides. */
import type { seededRandom } from '../../examples/plant/plc/random';
import type { OdooLogin } from '../../examples/plant/odoo/simulator';
import type { MillTrouble } from '../../examples/plant/plc/troubles';
import { type OrderTrouble, planOrderTroubles } from './orders';

/** At the PLC's connection. */
const PLC = [
  { command: 'plcDrop', argument: undefined },
  { command: 'plcRefuse', argument: undefined },
] as const;

/** At Odoo's connection, and in Odoo where closings meet. */
const ADDON = [
  { command: 'odooFault', argument: { kind: 'cutBefore', count: 2 } },
  { command: 'odooFault', argument: { kind: 'cutAfter', count: 2 } },
  { command: 'odooFault', argument: { kind: 'commitLate', route: 'update-with-consumptions', count: 1, ms: 1500 } },
  { command: 'odooFault', argument: { kind: 'html502', count: 2 } },
  { command: 'odooFault', argument: { kind: 'expireSession', count: 1 } },
  { command: 'odooFault', argument: { kind: 'contextLost', method: 'button_mark_done', count: 2 } },
  { command: 'odooFault', argument: { kind: 'contextLost', route: 'mark-done', count: 2 } },
  { command: 'odooFault', argument: { kind: 'serialization', method: 'button_mark_done', count: 1 } },
  { command: 'odooFault', argument: { kind: 'serialization', route: 'mark-done', count: 1 } },
  { command: 'odooOutage', argument: 800 },
] as const;

/** The same where every call is one of a model's methods, and a closing keeps its flags. */
const STANDARD = [
  { command: 'odooFault', argument: { kind: 'cutBefore', count: 2 } },
  { command: 'odooFault', argument: { kind: 'cutAfter', count: 2 } },
  { command: 'odooFault', argument: { kind: 'cutAfter', method: 'button_mark_done', count: 1 } },
  { command: 'odooFault', argument: { kind: 'commitLate', method: 'write', count: 1, ms: 1500 } },
  { command: 'odooFault', argument: { kind: 'commitLate', method: 'button_mark_done', count: 1, ms: 1500 } },
  { command: 'odooFault', argument: { kind: 'html502', count: 2 } },
  { command: 'odooFault', argument: { kind: 'http500', count: 2 } },
  { command: 'odooFault', argument: { kind: 'databaseDown', count: 2 } },
  { command: 'odooFault', argument: { kind: 'serialization', method: 'write', count: 1 } },
  { command: 'odooFault', argument: { kind: 'serialization', method: 'button_mark_done', count: 1 } },
  { command: 'odooFault', argument: { kind: 'serverError200', count: 1 } },
  { command: 'odooOutage', argument: 800 },
  { command: 'odooPerson', argument: 'cancel' },
  { command: 'odooPerson', argument: 'unreserve' },
  { command: 'odooPerson', argument: 'checkAvailability' },
  { command: 'odooPerson', argument: 'typeQuantity' },
] as const;

const DIALECTS = { addon: ADDON, standard: STANDARD } as const;

/** At the mill. */
const MISHAPS: readonly (MillTrouble | undefined)[] = [
  'typed-over',
  'blinking',
  'emptied',
  'number-blanked',
  'number-first',
  undefined,
];
/** How long one lasts (ms). */
const MISHAP = { shortest: 2_000, longest: 12_000 };

/** How long Node-RED lives between two kills, and how long somebody's SQL session holds rows (ms). */
const LIFE = { shortest: 2_500, longest: 6_000 };
const LOCK = { shortest: 1_000, longest: 5_000 };

export interface Life {
  after: number;
  trouble: (typeof PLC | (typeof DIALECTS)[keyof typeof DIALECTS])[number] | undefined;
  mishap: (typeof MISHAPS)[number];
  mishapMs: number;
  /** Rows of the queue are held locked for so long; 0: none. */
  lockMs: number;
  /** The database is killed with Node-RED. */
  database: boolean;
  /** It begins when Node-RED has its database; else the kill may come into the start. */
  connected: boolean;
  /** What its hand-overs suffer, where orders are handed over. */
  orders?: OrderTrouble;
}

export function planLives(
  kills: number,
  random: ReturnType<typeof seededRandom>,
  dialect: OdooLogin['interface'],
  ordersDown = false,
): Life[] {
  const between = ({ shortest, longest }: { shortest: number; longest: number }): number =>
    shortest + random() * (longest - shortest);
  const oneOf = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const lives = Array.from({ length: kills }, (_, n): Life => {
    const trouble = oneOf([...DIALECTS[dialect], ...PLC, undefined]);
    const mishap = oneOf(MISHAPS);
    // A slot that nobody can read a second time before the kill takes its weights with it: that is no bridge's fault.
    const unread = mishap === 'emptied' && trouble?.command.startsWith('plc');
    return {
      after: between(LIFE),
      trouble,
      mishap: unread ? undefined : mishap,
      mishapMs: between(MISHAP),
      lockMs: random() < 0.4 ? between(LOCK) : 0,
      database: n % 3 === 2,
      connected: n % 4 !== 3,
    };
  });
  const orders = ordersDown ? planOrderTroubles(kills, random) : [];
  return lives.map((life, n) => ({ ...life, ...withoutTyping(life, orders[n]) }));
}

/** Nobody types where orders are handed over; and what is emptied when Node-RED is killed at a telegram, nobody can read. */
function withoutTyping({ mishap }: Life, orders?: OrderTrouble): Partial<Life> {
  if (!orders) return {};
  const impossible = mishap === 'typed-over' || (mishap === 'emptied' && orders.cut.silent);
  return { orders, mishap: impossible ? undefined : mishap };
}
