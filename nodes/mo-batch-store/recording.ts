/** The operation "record readings": saves them, and tells what was not saved and why. */
import { checkReadings } from '../lib/domain/reading';
import { clock, type Context, type Input, type Outcome } from '../lib/node-red/node-shell';
import type { RecordedReading, SlotsRead, UnnamedSlot } from '../lib/store/batch-store';
import type { RejectedSlot } from '../lib/store/rejected';
import { type Call, list, shown } from './call';

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

const isRejected = (slot: unknown): slot is RejectedSlot => {
  const { slot: number, problems } = (slot ?? {}) as Partial<RejectedSlot>;
  return Number.isInteger(number) && Array.isArray(problems);
};

/** What the read node says about its slots; another source says nothing, or what is no list of slots counts as nothing. */
function slotsRead({ read }: Input): SlotsRead & { unnamed: Unnamed[]; rejected: RejectedSlot[] | undefined } {
  type Said = Record<'source' | 'emptied' | 'unnamed' | 'rejected', unknown>;
  const { source, emptied, unnamed, rejected } = (read ?? {}) as Said;
  return {
    source: typeof source === 'string' ? source : '',
    emptied: Array.isArray(emptied) ? emptied.filter((slot): slot is number => Number.isInteger(slot)) : [],
    unnamed: Array.isArray(unnamed) ? unnamed.filter(isUnnamed) : [],
    rejected: Array.isArray(rejected) ? rejected.filter(isRejected) : undefined,
  };
}

export const RECORDING = {
  async record({ store, stores, msg, line, silos, told, context: { t, node } }: Call): Promise<Outcome> {
    const { readings, refused, problems } = checkReadings(list(msg));
    // What is no list at all was wired wrongly: it does not show that the line is read either.
    if (!msg.payload || typeof msg.payload !== 'object') throw new Error(t('error.readings', { problems }));
    const { unnamed, rejected, ...slots } = slotsRead(msg);
    const leftovers = unnamed.length > 0 ? await store.leftovers(unnamed, line, slots) : [];
    const nameless = unnamed.filter(({ slot }) => !leftovers.includes(slot));
    const recorded = await store.record(readings, line, slots);
    const source = slots.source || (readings[0]?.source ?? '');
    // Whoever does not say what all of his slots are tells of those in the message only.
    const right = rejected ? null : readings.map(({ slot }) => slot);
    const wrong = [...(rejected ?? []), ...nameless, ...(refused as readonly unknown[]).filter(isRejected)];
    await stores.people.noteRejected({ rejected: wrong, right, line, source });
    for (const shownThere of await stores.handovers.neverHanded(line, readings))
      node.warn(t('status.never-handed', { ...shownThere }));
    const saved = recorded.filter(({ outcome }) => outcome === 'recorded');
    for (const { mo_id, consumption, seen_once } of saved) {
      node.log(t('status.saved', { mo_id, count: Object.keys(consumption).length }));
      if (seen_once) node.warn(t('status.saved-seen-once', { mo_id }));
    }
    const tellings = recorded.flatMap((reading) => tellingOf(reading, t) ?? []);
    if (problems) tellings.push({ level: 'warn', text: t('status.readings-refused', { problems }) });
    for (const { slot, problems: found } of nameless) {
      const text = found.map(({ field, problem }) => `${silos.name(field)} ${problem}`).join('; ');
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
};
