/**
 * The person of the soak: looks at what mo-batch-store shows, compares it with the batch's own report (what the PLC weighed
 * in the end), and decides with the operations that the store node offers. Reaches them over HTTP nodes beside the shipped
 * flow.
 */
import { IDS } from '../../examples/plant/demo-flow';
import type pgPromise from 'pg-promise';
import type { FlowNode, NodeRedHost } from '../../examples/plant/node-red-host';
import { handsOver } from './orders';

const OPERATIONS = ['summary', 'list', 'trail', 'retry', 'accept', 'discard', 'cancelled'] as const;
type Operation = (typeof OPERATIONS)[number] | 'withdraw' | 'hand-over';

/** All are the store's, but one: what is cancelled in Odoo is archived as such. */
const nodeOf = (operation: Operation): { type: string; [setting: string]: unknown } =>
  operation === 'cancelled'
    ? { type: 'history-archive', note: 'note', noteType: 'msg' }
    : { type: 'mo-batch-store', line: '' };

const TAB = 'soak-tab';

/** HTTP nodes for the operations: POST /soak/<operation> {mo_id?, note?} answers with the operation's result. */
export const personFlow = (): FlowNode[] => [
  { id: TAB, type: 'tab', label: 'soak' },
  ...OPERATIONS.flatMap((operation): FlowNode[] => [
    {
      id: `soak-in-${operation}`,
      type: 'http in',
      z: TAB,
      url: `/soak/${operation}`,
      method: 'post',
      wires: [[`soak-asked-${operation}`]],
    },
    {
      id: `soak-asked-${operation}`,
      type: 'function',
      z: TAB,
      func: 'const { mo_id, note } = msg.payload; return Object.assign(msg, { mo_id, note });',
      wires: [[`soak-${operation}`]],
    },
    {
      ...nodeOf(operation),
      id: `soak-${operation}`,
      z: TAB,
      database: IDS.database,
      operation,
      wires: [['soak-told'], []],
    },
  ]),
  { id: 'soak-told', type: 'http response', z: TAB, statusCode: '200', wires: [] },
  {
    id: 'soak-failed',
    type: 'catch',
    z: TAB,
    scope: OPERATIONS.map((operation) => `soak-${operation}`),
    wires: [['soak-why']],
  },
  {
    id: 'soak-why',
    type: 'function',
    z: TAB,
    func: 'return Object.assign(msg, { payload: msg.error.message, statusCode: 500 });',
    wires: [['soak-refused']],
  },
  { id: 'soak-refused', type: 'http response', z: TAB, wires: [] },
];

/** POST /soak/withdraw and /soak/hand-over {mo_id}: the node that withdraws, and the flow's own that hands over. */
export function personOfOrders(flow: readonly FlowNode[]): FlowNode[] {
  const into = (operation: string, wires: string[]): FlowNode[] => [
    {
      ...{ id: `soak-in-${operation}`, type: 'http in', z: TAB, url: `/soak/${operation}`, method: 'post' },
      wires: [[`soak-asked-${operation}`]],
    },
    {
      ...{ id: `soak-asked-${operation}`, type: 'function', z: TAB, wires: [wires] },
      func: 'return Object.assign(msg, { mo_id: msg.payload.mo_id });',
    },
  ];
  return [
    ...into('withdraw', ['soak-withdraw']),
    {
      ...{ id: 'soak-withdraw', type: 'plc-order-write', z: TAB, operation: 'withdraw', database: IDS.database },
      wires: [['soak-told'], ['soak-told']],
    },
    ...into('hand-over', ['soak-told', ...flow.filter(handsOver).map(({ id }) => id)]),
  ];
}

interface Held {
  mo_id: string;
  reason?: string | null;
}
interface SetAside {
  mo_id: string;
  reason: string;
}
interface Summary {
  held: Held[];
  set_aside: SetAside[];
}
interface Shown {
  batch: { last_plc_reading: Reading | null } | null;
  held: Reading | null;
}
interface Reading {
  consumption: Record<string, number>;
}

/** Reasons for which a reading waits by itself: for its order, or for a row that somebody holds locked. */
const WAITS = [undefined, null, 'locked-row'];

export class Person {
  /** How often a decision was needed. */
  asked = 0;
  /** Rows that were set aside although nothing had gone wrong at the plant, with the reason shown. */
  readonly needless = new Set<string>();
  readonly #weighed: (mo_id: string) => Promise<Record<string, number>>;
  readonly #say: (line: string) => void;
  #host: NodeRedHost;

  constructor(
    host: NodeRedHost,
    weighed: (mo_id: string) => Promise<Record<string, number>>,
    say: (line: string) => void,
  ) {
    this.#host = host;
    this.#weighed = weighed;
    this.#say = say;
  }

  /**
   * Decides what is shown now.
   * @param emptied orders whose slot was emptied between two reads
   * @param cancelled orders that were cancelled in Odoo
   */
  async decide(emptied: ReadonlySet<string>, cancelled: ReadonlySet<string>): Promise<void> {
    const { held, set_aside } = await this.#ask<Summary>('summary');
    for (const { mo_id, reason } of held) {
      if (cancelled.has(mo_id)) await this.#tell('discard', mo_id, 'cancelled in Odoo');
      else if (!WAITS.includes(reason)) await this.#judge(mo_id, String(reason), ({ held }) => held);
    }
    for (const { mo_id, reason } of set_aside) {
      if (cancelled.has(mo_id)) await this.#tell('cancelled', mo_id, reason);
      else if (emptied.has(mo_id)) await this.#judge(mo_id, reason, ({ batch }) => batch?.last_plc_reading ?? null);
      else {
        this.needless.add(`${mo_id}: ${reason}`);
        await this.#tell('retry', mo_id, reason);
      }
    }
  }

  /**
   * Decides about orders of which only the PLC knows whether it took them: what it did not take is withdrawn, and handed over
   * again once it is nowhere any more. One that it did take tells so itself, by its reading.
   */
  async decideOrders(db: pgPromise.IDatabase<object>, taken: ReadonlySet<string>): Promise<void> {
    const asked = await db.any<{ mo_id: string; why: string; gone: boolean }>(
      `SELECT mo_id, coalesce(handover_problem, hand_back) AS why, handed_slot IS NULL AS gone FROM mo_batch
       WHERE (handover_problem IS NOT NULL OR hand_back = 'person') AND set_aside_at IS NULL`,
    );
    for (const { mo_id, why, gone } of asked) {
      if (taken.has(mo_id)) continue;
      if (gone) await this.#tell('hand-over', mo_id, why);
      else if (why !== 'person') await this.#tell('withdraw', mo_id, why);
    }
  }

  /** Lets an order go on at once that waits for its next attempt. */
  async retry(mo_id: string): Promise<void> {
    await this.#ask('retry', { mo_id });
  }

  /** Its own batch, or somebody else's: what was read is compared with the report. */
  async #judge(mo_id: string, reason: string, read: (shown: Shown) => Reading | null): Promise<void> {
    const shown = read(await this.#ask<Shown>('trail', { mo_id }));
    if (!shown) return;
    const report = await this.#weighed(mo_id);
    const own = Object.entries(report).every(
      ([tag, hundredths]) => Math.round(Math.round((shown.consumption[tag] ?? 0) * 1000) / 10) === hundredths,
    );
    const decision = Object.keys(report).length > 0 && own ? 'accept' : 'discard';
    await this.#tell(decision, mo_id, reason);
  }

  async #tell(operation: Operation, mo_id: string, reason: string): Promise<void> {
    this.asked += 1;
    this.#say(`${mo_id} (${reason}): ${operation}`);
    // What is refused is shown again, and the other decisions do not wait for it.
    await this.#ask(operation, { mo_id, note: 'soak' }).catch((error: Error) => this.#say(error.message));
  }

  async #ask<T>(operation: Operation, body: { mo_id?: string; note?: string } = {}): Promise<T> {
    const answer = await fetch(`${this.#host.url}/soak/${operation}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${operation} ${body.mo_id ?? ''}: HTTP ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }
}
