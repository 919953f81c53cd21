/**
 * The operations of the batch store that work on the database; each answers one message.
 */
import { legible, type Order, queueable } from '../lib/domain/order';
import { checkReadings } from '../lib/domain/reading';
import { sumForOdoo } from '../lib/domain/weight';
import { clock, type Context, type Input, ordersIn, type Outcome, type Status } from '../lib/node-red/node-shell';
import { auditOf } from '../lib/store/audit';
import type { BatchStore, RecordedReading, SlotsRead, UnnamedSlot } from '../lib/store/batch-store';
import type { Left } from '../lib/store/set-aside';
import type { Stores } from '../lib/store/database-link';
import type { Transferred } from '../lib/store/transfer';
import { auditInWords } from './audit-words';

export interface Call {
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
export const shown = (level: Status['level'], text: string): Status => ({ level, text });

/** How loud what became of a reading is told, unless it was saved: what every completed slot shows for a while is no warning. */
const LEVELS = { held: 'warn', older: 'warn', locked: 'log', stale: 'log' } as const;
type NotSaved = keyof typeof LEVELS;

/** Outcomes that leave by the second output: the row does not show what the slot does. */
const APART: readonly string[] = ['held', 'locked', 'older'] satisfies NotSaved[];

/** Reasons for holding a reading that have a sentence of their own; any other one is told by its code. */
const HELD_FOR: readonly string[] = ['foreign-weights', 'locked-row', 'seen-once'];

/** What is told of a reading that was not saved, and how loud; undefined: it was. */
function tellingOf({ outcome, reason, mo_id, slot, weights_of = '' }: RecordedReading, t: Context['t']) {
  const level = LEVELS[outcome as NotSaved] as 'warn' | 'log' | undefined;
  if (!level) return undefined;
  const key = !reason ? outcome : HELD_FOR.includes(reason) ? reason : 'held-for';
  return { level, text: t(`status.${key}`, { mo_id, slot, weights_of, reason }) };
}

/** A batch without a number that the read node leaves to the store. */
type Unnamed = UnnamedSlot & { problems: { field: string; problem: string }[] };

const isUnnamed = (slot: unknown): slot is Unnamed => {
  const { slot: number, consumption, problems } = (slot ?? {}) as Partial<Unnamed>;
  return Number.isInteger(number) && typeof consumption === 'object' && Array.isArray(problems);
};

/** What the read node says about its slots; another source says nothing, or what is no list of slots counts as nothing. */
function slotsRead({ read }: Input): SlotsRead & { unnamed: Unnamed[] } {
  const { source, emptied, unnamed } = (read ?? {}) as Record<'source' | 'emptied' | 'unnamed', unknown>;
  return {
    source: typeof source === 'string' ? source : '',
    emptied: Array.isArray(emptied) ? emptied.filter((slot): slot is number => Number.isInteger(slot)) : [],
    unnamed: Array.isArray(unnamed) ? unnamed.filter(isUnnamed) : [],
  };
}

export const OPERATIONS = {
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
    const closed = ordersIn<{ mo_id: string; reason: string }>(msg);
    if (!closed) throw new Error(t('error.orders'));
    // The check tells the ids of the others, too.
    const open = ordersIn<{ mo_id: string }>({ ...msg, payload: msg.open ?? [] }) ?? [];
    const left: Left[] = [];
    const found = await store.setAside([...open, ...closed], (row) => left.push(row));
    const batches = found.filter(({ set_aside_at }) => set_aside_at !== null);
    for (const { mo_id, set_aside_reason } of batches)
      node.warn(t('status.aside', { mo_id, reason: set_aside_reason }));
    for (const { mo_id } of found.filter(({ set_aside_at }) => set_aside_at === null))
      node.warn(t('status.closed-by-hand', { mo_id }));
    for (const { mo_id, reason } of left) node.warn(t('status.not-set-aside', { mo_id, reason }));
    const level = batches.length + left.length > 0 ? 'attention' : 'idle';
    return {
      outputs: [{ payload: batches, ...(left.length > 0 ? { left } : {}) }],
      status: shown(level, t('status.set-aside', { count: batches.length, at: clock() })),
    };
  },

  async record({ store, msg, line, told, context: { t, node } }: Call): Promise<Outcome> {
    const { readings, refused, problems } = checkReadings(list(msg));
    // What is no list at all was wired wrongly: it does not show that the line is read either.
    if (!msg.payload || typeof msg.payload !== 'object') throw new Error(t('error.readings', { problems }));
    const { unnamed, ...slots } = slotsRead(msg);
    const leftovers = unnamed.length > 0 ? await store.leftovers(unnamed, line, slots) : [];
    const nameless = unnamed.filter(({ slot }) => !leftovers.includes(slot));
    const recorded = await store.record(readings, line, slots);
    const saved = recorded.filter(({ outcome }) => outcome === 'recorded');
    for (const { mo_id, consumption, seen_once } of saved) {
      node.log(t('status.saved', { mo_id, count: Object.keys(consumption).length }));
      if (seen_once) node.warn(t('status.saved-seen-once', { mo_id }));
    }
    const tellings = recorded.flatMap((reading) => tellingOf(reading, t) ?? []);
    if (problems) tellings.push({ level: 'warn', text: t('status.readings-refused', { problems }) });
    for (const { slot, problems: found } of nameless) {
      const text = found.map(({ field, problem }) => `${field} ${problem}`).join('; ');
      tellings.push({ level: 'warn', text: t('status.nameless', { slot, problems: text }) });
    }
    for (const { level, text } of tellings) if (!told.has(text)) node[level](text);
    told.clear();
    for (const { text } of tellings) told.add(text);

    const apart = [
      ...recorded.filter(({ outcome }) => APART.includes(outcome)),
      ...[...refused, ...nameless].map((reading) => ({ ...reading, outcome: 'refused' })),
    ];
    const values = { count: readings.length + refused.length, saved: saved.length, apart: apart.length, at: clock() };
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

  async unqueued({ store, line, context: { t } }: Call): Promise<Outcome> {
    const orders = await store.unqueued(line);
    const status = shown(
      orders.length > 0 ? 'ok' : 'idle',
      t('status.unqueued', { count: orders.length, at: clock() }),
    );
    // Without a name "fetch orders" would fetch all of them.
    if (orders.length === 0) return { outputs: [], status };
    return { outputs: [{ payload: orders, mo_id: orders.map(({ mo_id }) => mo_id) }], status };
  },

  async retry({ store, msg, line, context: { t, node } }: Call): Promise<Outcome> {
    const refused: Left[] = [];
    const batches = await store.retry(named(msg), line, (row) => refused.push(row));
    for (const { id, mo_id, reason } of refused)
      node.warn(t('status.not-retried', { mo_id: mo_id ?? `(${id})`, reason }));
    const values = { count: batches.length, refused: refused.length, at: clock() };
    const text = t(refused.length > 0 ? 'status.retried-some' : 'status.retried', values);
    return {
      outputs: [{ payload: batches, ...(refused.length > 0 ? { refused } : {}) }],
      status: shown(refused.length > 0 ? 'attention' : 'ok', text),
    };
  },

  accept: (call: Call) => decided('accepted', call),

  discard: (call: Call) => decided('discarded', call),

  async 'close-anyway'({ store, msg, context: { t, node } }: Call): Promise<Outcome> {
    const moId = named(msg);
    if (!moId) throw new Error(t('error.no-order'));
    const batch = await store.closeAnyway(moId, decisionIn(msg));
    if (!batch) throw new Error(t('error.nothing-to-close', { mo_id: moId }));
    const text = t('status.close-anyway', { mo_id: moId, at: clock() });
    node.log(text);
    return { outputs: [{ payload: [batch] }], status: shown('ok', text) };
  },

  async trail({ store, msg, context: { t } }: Call): Promise<Outcome> {
    const moId = named(msg);
    if (!moId) throw new Error(t('error.no-order'));
    const trail = await store.trail(moId);
    return {
      outputs: [{ payload: { ...trail, ...auditInWords(t, auditOf(trail)) } }],
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

/** Who decides, and why, as the message says. */
const decisionIn = ({ user, note }: Input): { by: string; note: string } => {
  const [by = '', why = ''] = [user, note].map((given) => (typeof given === 'string' ? given.trim() : ''));
  return { by, note: why };
};

/** What a person decided about the order in msg.mo_id. */
async function decided(what: 'accepted' | 'discarded', { store, msg, context: { t, node } }: Call): Promise<Outcome> {
  const moId = named(msg);
  if (!moId) throw new Error(t('error.no-order'));
  const payload = await store[what === 'accepted' ? 'accept' : 'discard'](moId, decisionIn(msg));
  if (!payload) throw new Error(t('error.nothing-kept', { mo_id: moId }));
  const text = t(`status.${what}`, { mo_id: moId, at: clock() });
  node.log(text);
  return { outputs: [{ payload }], status: shown('ok', text) };
}

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
