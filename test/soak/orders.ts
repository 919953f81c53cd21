/** Orders down in the soak: what the PLC's program is like, at which telegram a hand-over is cut, what else goes wrong. */
import { IDS } from '../../examples/plant/demo-flow';
import type { FlowNode } from '../../examples/plant/node-red-host';
import type { PlantOptions } from '../../examples/plant/plant';
import { PACKED_ORDER, S7_ORDER_RECORD } from '../../examples/plant/plc/order-memory';
import type { seededRandom } from '../../examples/plant/plc/random';
import type { Cut } from '../../examples/plant/plc/s7-faults';
import { ORDER_PRESETS } from '../../nodes/lib/plc/order-layout';

/** At which telegram of a hand-over, counted from the first that writes. `silent`: Node-RED is killed there. */
export type OrderCut = Pick<Cut, 'telegram' | 'at'> & { silent: boolean };

export type OrderMishap =
  'never' | 'late' | 'forgetful' | 'stop-before-ready' | 'old-content' | 'cleared-by-hand' | 'replanned';

/** What one life suffers with its orders. */
export interface OrderTrouble {
  cut: OrderCut;
  mishap: OrderMishap | undefined;
}

/** Fewer order slots than orders wait: there is always one to be handed over. */
const SLOTS = 3;
/** Orders that a round of Task 1 queues: enough for several lives. */
export const QUEUED = 40;

/** The PLC's programs that there are, in turn. */
const PROGRAMS = [
  { layout: S7_ORDER_RECORD, says: 'taken', clears: 'bridge' },
  { layout: PACKED_ORDER, says: 'taken', clears: 'bridge' },
  { layout: S7_ORDER_RECORD, says: 'echo', clears: 'plc' },
] as const;

export const ordersDownOf = (seed: number): NonNullable<PlantOptions['ordersDown']> => ({
  ...PROGRAMS[Math.abs(seed) % PROGRAMS.length]!,
  slots: SLOTS,
});

/** The flow's node that hands over as that program needs it, and enough orders for it. */
export function withOrders(flow: readonly FlowNode[], { layout, clears }: ReturnType<typeof ordersDownOf>): FlowNode[] {
  const { fields, ...places } = ORDER_PRESETS[layout?.name as keyof typeof ORDER_PRESETS];
  const settings = { ...places, fields, slots: SLOTS, clearing: clears, settle: 500, timeout: 1000 };
  return flow.map((node) => {
    if (handsOver(node)) return { ...node, ...settings };
    return node.id === IDS.enqueue ? { ...node, limit: String(QUEUED) } : node;
  });
}

export const handsOver = ({ type, operation }: FlowNode): boolean =>
  type === 'plc-order-write' && operation !== 'withdraw';

/** As many as an order takes from its first byte to the look at what it offers. */
const TELEGRAMS = 10;
const MOMENTS = ['request', 'answer', 'after'] as const;
const MISHAPS: readonly (OrderMishap | undefined)[] = [
  ...(['never', 'late', 'forgetful', 'stop-before-ready', 'old-content', 'cleared-by-hand', 'replanned'] as const),
  undefined,
];

/** Every telegram and moment comes in turn; every other time Node-RED is killed there. */
export function planOrderTroubles(kills: number, random: ReturnType<typeof seededRandom>): OrderTrouble[] {
  const first = Math.floor(random() * TELEGRAMS * MOMENTS.length);
  return Array.from({ length: kills }, (_, n) => {
    const turn = first + n;
    const telegram = 1 + (turn % TELEGRAMS);
    const at = MOMENTS[Math.floor(turn / TELEGRAMS) % MOMENTS.length]!;
    const mishap = MISHAPS[Math.floor(random() * MISHAPS.length)];
    return { cut: { telegram, at, silent: n % 2 === 1 }, mishap };
  });
}
