import type { NodeAPI } from 'node-red';
import type { DatabaseNode } from '../lib/node-red/config-nodes';
import { connectionsOf } from '../lib/node-red/connections';
import { auditOf } from '../lib/store/audit';
import type { Order } from '../lib/domain/batch';
import { legible, queueable } from '../lib/domain/order';
import { checkReadings } from '../lib/domain/reading';
import { sumForOdoo } from '../lib/domain/weight';
import { type HealthConfig, healthAction } from './alarms';
import {
  clock,
  ordersIn,
  registerAction,
  requireNode,
  type Context,
  type Input,
  type Outcome,
  type Status,
} from '../lib/node-red/node-shell';
import type { BatchStore, RecordOutcome } from '../lib/store/batch-store';
import type { Stores } from '../lib/store/database-link';
import type { Transferred } from '../lib/store/transfer';

interface Config extends HealthConfig {
  database: string;
  operation: keyof typeof OPERATIONS | 'connections' | 'health';
  line: string;
  limit: string;
  limitType: string;
}

interface Call {
  store: BatchStore;
  stores: Stores;
  msg: Input;
  line: string;
  limit: number;
  context: Context;
  /** What was told already: a slot shows its batch for many cycles, and Odoo lists an order at every fetch. */
  told: Set<string>;
}

/** The order named in the message, if any. */
const named = ({ mo_id }: Input): string | null => (typeof mo_id === 'string' && mo_id.trim() ? mo_id.trim() : null);
const list = <T>({ payload }: Input): T[] => (Array.isArray(payload) ? payload : [payload]) as T[];
const shown = (level: Status['level'], text: string): Status => ({ level, text });

/** Outcomes of a recording that are told, and how loud: what every completed slot shows for a while is no warning. */
const NOT_SAVED: Partial<Record<RecordOutcome, 'log' | 'warn'>> = {
  held: 'warn',
  older: 'warn',
  ahead: 'warn',
  locked: 'log',
  stale: 'log',
};

/** Outcomes that leave by the second output: the row does not show what the slot does. */
const APART: readonly RecordOutcome[] = ['held', 'locked', 'older', 'ahead'];

const OPERATIONS = {
  async summary({ store, line, context: { t } }: Call): Promise<Outcome> {
    const summary = await store.summary(line);
    const wants = [
      ['aside', summary.set_aside.length],
      ['unsettled', summary.unsettled?.length ?? 0],
      ['quiet', summary.quiet.length],
      ['other-lines', summary.other_lines.reduce((sum, { rows }) => sum + rows, 0)],
    ] as const;
    const what = wants.flatMap(([key, n]) => (n > 0 ? [t(`status.summary-${key}`, { count: n })] : [])).join(', ');
    const level = summary.set_aside.length > 0 ? 'failed' : what ? 'attention' : 'ok';
    const text = t(what ? 'status.summary-attention' : 'status.summary', { queue: summary.queue, what, at: clock() });
    return { outputs: [{ payload: summary }], status: shown(level, text) };
  },

  async enqueue({ store, msg, line, limit, told, context: { t, node } }: Call): Promise<Outcome> {
    const given = queueable<Order & { notes?: string[] }>(list(msg));
    if (!given) throw new Error(t('error.orders'));
    const { orders, refused } = given;
    for (const { mo_id, reason } of refused) node.warn(t('status.refused', { mo_id: legible(mo_id), reason }));
    const queued = await store.enqueue(orders, limit, named(msg));
    const notes = new Map(orders.map(({ mo_id, notes = [] }) => [mo_id, notes]));
    for (const { mo_id, equipment_id_batch: other } of queued) {
      for (const note of notes.get(mo_id) ?? []) node.warn(t('status.note', { mo_id, note }));
      if (line && other && other !== line) node.warn(t('status.other-line', { mo_id, other, line }));
    }
    for (const mo_id of await store.archivedByHand([...notes.keys()])) {
      if (!told.has(mo_id)) node.warn(t('status.by-hand', { mo_id }));
      told.add(mo_id);
    }
    const values = { count: queued.length, refused: refused.length, at: clock() };
    if (refused.length > 0) {
      const before = Array.isArray(msg.refused) ? (msg.refused as unknown[]) : [];
      const status = shown('attention', t('status.queued-refused', values));
      return { outputs: [{ payload: queued, refused: [...before, ...refused] }], status };
    }
    const status = shown(queued.length > 0 ? 'ok' : 'idle', t('status.queued', values));
    return { outputs: [{ payload: queued }], status };
  },

  async 'set-aside'({ store, msg, context: { t, node } }: Call): Promise<Outcome> {
    const orders = ordersIn<{ mo_id: string; reason: string }>(msg);
    if (!orders) throw new Error(t('error.orders'));
    const batches = await store.setAside(orders);
    for (const { mo_id, set_aside_reason } of batches)
      node.warn(t('status.aside', { mo_id, reason: set_aside_reason }));
    const level = batches.length > 0 ? 'attention' : 'idle';
    return {
      outputs: [{ payload: batches }],
      status: shown(level, t('status.set-aside', { count: batches.length, at: clock() })),
    };
  },

  async record({ store, msg, line, told, context: { t, node } }: Call): Promise<Outcome> {
    const { readings, problems } = checkReadings(list(msg));
    // A message with one wrong reading is refused whole: nobody has to find out which part of it was saved.
    if (!readings) throw new Error(t('error.readings', { problems }));
    const recorded = await store.record(readings, line);
    const saved = recorded.filter(({ outcome }) => outcome === 'recorded');
    const apart = recorded.filter(({ outcome }) => APART.includes(outcome));
    for (const { mo_id, consumption } of saved) {
      node.log(t('status.saved', { mo_id, count: Object.keys(consumption).length }));
    }
    const values = { count: readings.length, saved: saved.length, apart: apart.length, at: clock() };
    const before = new Set(told);
    told.clear();
    for (const { mo_id, slot, outcome } of recorded) {
      const level = NOT_SAVED[outcome];
      const key = `${outcome} ${slot} ${mo_id}`;
      if (level) told.add(key);
      if (level && !before.has(key)) node[level](t(`status.${outcome}`, { mo_id, slot }));
    }
    const text = t(apart.length > 0 ? 'status.recorded-apart' : 'status.recorded', values);
    const status = shown(apart.length > 0 ? 'attention' : 'ok', text);
    return { outputs: [{ payload: recorded }, apart.length > 0 ? { payload: apart } : undefined], status };
  },

  async due({ store, line, limit, context: { t } }: Call): Promise<Outcome> {
    const batches = await store.due(limit, line);
    return { outputs: [{ payload: batches }], status: listed(t, batches.length) };
  },

  async completed({ store, line, limit, context: { t } }: Call): Promise<Outcome> {
    const batches = await store.completed(limit, line);
    return { outputs: [{ payload: batches }], status: listed(t, batches.length) };
  },

  async unread({ store, line, context: { t } }: Call): Promise<Outcome> {
    const batches = await store.unread(line);
    return { outputs: [{ payload: batches }], status: listed(t, batches.length) };
  },

  async retry({ store, msg, line, context: { t } }: Call): Promise<Outcome> {
    const batches = await store.retry(named(msg), line);
    return {
      outputs: [{ payload: batches }],
      status: shown('ok', t('status.retried', { count: batches.length, at: clock() })),
    };
  },

  async trail({ store, msg, context: { t } }: Call): Promise<Outcome> {
    const moId = named(msg);
    if (!moId) throw new Error(t('error.no-order'));
    const trail = await store.trail(moId);
    return {
      outputs: [{ payload: { ...trail, ...auditOf(trail) } }],
      status: shown('ok', t('status.trail', { mo_id: moId, count: trail.events.length })),
    };
  },

  async list({ stores, line, context: { t } }: Call): Promise<Outcome> {
    const batches = await stores.reports.list(line);
    return { outputs: [{ payload: batches }], status: listed(t, batches.length) };
  },

  async activity({ stores, line, context: { t } }: Call): Promise<Outcome> {
    const hours = await stores.reports.activity(line);
    const kg = sumForOdoo(hours.map((hour) => hour.kg));
    const pushes = hours.reduce((sum, hour) => sum + hour.pushes, 0);
    const status = shown('ok', t('status.activity', { kg, pushes, at: clock() }));
    return { outputs: [{ payload: hours }], status };
  },

  async archived({ stores, msg, line, context: { t } }: Call): Promise<Outcome> {
    const batches = await stores.reports.archived(periodIn(msg, t), line);
    const status = shown(
      batches.length > 0 ? 'ok' : 'idle',
      t('status.archived', { count: batches.length, at: clock() }),
    );
    return { outputs: [{ payload: batches }], status };
  },

  async export({ stores, msg, context }: Call): Promise<Outcome> {
    return transferred('exported', await stores.exportTo(fileIn(msg, context)), context);
  },

  async import({ stores, msg, context }: Call): Promise<Outcome> {
    return transferred('imported', await stores.importFrom(fileIn(msg, context)), context);
  },
};

/** The file named in the message, as Node-RED's own file nodes take it. */
const fileIn = ({ filename }: Input, { t }: Context): string => {
  if (typeof filename === 'string' && filename.trim()) return filename.trim();
  throw new Error(t('error.no-file'));
};

/** The period named in the message, if any: ISO 8601 texts, with a time zone or in that of this machine. */
const periodIn = ({ from, to }: Input, t: Context['t']): { from: string | null; to: string | null } => {
  const [begin, end] = [from, to].map((given) => {
    if (given === undefined || given === null || given === '') return null;
    const time = typeof given === 'string' || given instanceof Date ? new Date(given) : new Date(NaN);
    if (Number.isNaN(time.getTime())) throw new Error(t('error.period'));
    return time.toISOString();
  }) as [string | null, string | null];
  if (begin && begin >= (end ?? new Date().toISOString())) throw new Error(t('error.period'));
  return { from: begin, to: end };
};

const transferred = (what: 'exported' | 'imported', payload: Transferred, { t, node }: Context): Outcome => {
  const { mo_batch: queue, mo_histories: history } = payload.rows;
  const text = t(`status.${what}`, { queue, history, at: clock() });
  node.log(`${text}: ${payload.file}`);
  return { outputs: [{ payload }], status: shown('ok', text) };
};

const listed = (t: Context['t'], count: number): Status =>
  shown(count > 0 ? 'ok' : 'idle', t('status.listed', { count, at: clock() }));

const connections = (RED: NodeAPI, t: Context['t']): Outcome => {
  const payload = connectionsOf(RED, t('error.not-configured'));
  const count = payload.length;
  const down = payload.filter(({ tried, up }) => tried && !up).length;
  const untried = payload.filter(({ tried }) => !tried).length;
  const status =
    down > 0
      ? shown('failed', t('status.connections-down', { count, down }))
      : untried > 0
        ? shown('idle', t('status.connections-untried', { count, untried, up: count - untried }))
        : shown('ok', t('status.connections', { count }));
  return { outputs: [{ payload }], status };
};

/** Enough for any plant, and a bound for a mistyped limit. */
const MOST = 100_000;

export = function (RED: NodeAPI) {
  registerAction<Config>(RED, 'mo-batch-store', { whileBusy: 'queue' }, (node, config, t) => {
    const database = requireNode<DatabaseNode>(RED, config.database, t, t('label.database'));
    const { operation } = config;
    // Tells also of a database that is not there: nothing of it waits for one.
    if (operation === 'connections') return { run: () => Promise.resolve(connections(RED, t)) };
    if (operation === 'health') return healthAction(database, config, node, t);
    const link = database.database();
    const told = new Set<string>();
    const bounded = ['enqueue', 'due', 'completed'].includes(operation);
    return {
      links: [database.link],
      run: async (msg, context) => {
        const given: unknown = bounded
          ? RED.util.evaluateNodeProperty(config.limit, config.limitType || 'num', node, msg)
          : MOST;
        const limit = Number(given);
        if (!Number.isInteger(limit) || limit < 1) throw new Error(t('error.limit-value', { limit: String(given) }));
        return link.use((stores) =>
          OPERATIONS[operation]({
            store: stores.batches,
            stores,
            msg,
            line: config.line ?? '',
            limit: Math.min(limit, MOST),
            context,
            told,
          }),
        );
      },
    };
  });
};
