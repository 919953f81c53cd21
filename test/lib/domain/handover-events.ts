/**
 * Everything that can happen next in a state of the small world of orders: its two writers, the PLC program, an operator, a
 * person, Odoo, and what goes wrong between them.
 *
 * What it takes for granted: a telegram lands within the lease of who sent it, or never (a call starts only with more than
 * its time limit left); the PLC program says `taken` within the settle time after it copied an order; a slot is read whole.
 * A writer that has lost its lease can only find that out and begin anew: it is idle from that moment on. A kill while a
 * telegram is under way is the same as an answer that is lost.
 */
import type { HandBack, HandedOrder, nextStep, OrderSlot, Step } from '../../../nodes/lib/domain/handover';
import { clone, emptySlot, idle, NONE, type Slot, type Telegram, type World, type Writer } from './handover-world';

/** A record of which only a part has arrived. */
const TORN = -2;

export interface Rules {
  next: typeof nextStep;
  clearing: 'bridge' | 'plc';
  /** The program clears `ready` and tells the number in a field of its own. */
  echo: boolean;
}

/** Something that can happen. `progress`: it happens by itself, sooner or later. */
export interface Event {
  name: string;
  world: World;
  progress: boolean;
  /** What must never be. */
  wrong?: string;
}

const nameOf = (order: number): string => (order === NONE ? '' : `WH/MO/${order}`);
const recordOf = (number: number, record: number): string => `${number}:${record}`;

/** The slot as the writer has read it. */
const seen = ({ number, record, ready, taken, echo, settled }: Slot & { settled: boolean }): OrderSlot => ({
  ...{ number: nameOf(number), record: recordOf(number, record), ready, taken, echo: nameOf(echo), settled },
});

/** Whose the slot is by the database; a number that is at home elsewhere is no longer open here. */
function lookUp(world: World, slot: number, view: Slot): { order: number; known: HandedOrder } | undefined {
  const mine = world.rows.findIndex((row) => row.slot === slot);
  if (mine !== NONE) {
    const { plan, ready, taken, back, open } = world.rows[mine]!;
    const wanted: HandBack | null = open ? back : 'closed';
    return { order: mine, known: { number: nameOf(mine), record: recordOf(mine, plan), ready, taken, back: wanted } };
  }
  if (view.number === NONE) return undefined;
  return {
    order: view.number,
    known: { number: nameOf(view.number), record: '', ready: view.ready, taken: view.taken, back: 'closed' },
  };
}

/** What a telegram changes, and whether it writes over what is not its writer's. */
function land(world: World, { slot, order, plan }: Writer, telegram: Telegram): string | undefined {
  const target = world.slots[slot]!;
  if (['torn', 'body', 'number', 'ready'].includes(telegram) && ![NONE, order].includes(target.number))
    return 'written over what is not ours';
  if (telegram === 'torn') target.record = TORN;
  else if (telegram === 'body') target.record = plan;
  else if (telegram === 'number') target.number = order;
  else if (telegram === 'ready') target.ready = true;
  else if (telegram === 'unready') target.ready = false;
  else if (telegram === 'blank') [target.number, target.record] = [NONE, NONE];
  else target.taken = false;
  const twice = world.slots.every(({ number }) => number !== NONE && number === world.slots[0]!.number);
  return twice ? 'one order in two slots' : undefined;
}

const TELEGRAMS: Partial<Record<Step['do'], Telegram[]>> = {
  write: ['torn', 'body', 'number'],
  unready: ['unready'],
  clear: ['blank', 'untaken'],
};

/** Carries a step out as far as its first telegram: statements of the lease's holder. */
function decide(world: World, id: number, rules: Rules): void {
  const writer = world.writers[id]!;
  const view = writer.view!;
  const found = lookUp(world, writer.slot, view);
  const step = rules.next(found?.known, seen(view), rules.clearing);
  const release = (): void => {
    world.writers[id] = idle();
    world.lease = NONE;
  };
  const row = found && world.rows[found.order]!.slot === writer.slot ? world.rows[found.order] : undefined;
  if (step.do === 'claim') {
    const next = world.rows.find(({ slot, open, taken, back }) => slot === NONE && open && !taken && back === null);
    if (!next) return release();
    next.slot = writer.slot;
    writer.at = 'read';
  } else if (step.do === 'offer') {
    if (!row || row.back !== null || !row.open) return void (writer.at = 'read');
    row.ready = true;
    row.offered = row.plan;
    [writer.at, writer.queue] = ['send', ['ready']];
  } else if (step.do === 'note-taken') {
    Object.assign(row!, { taken: true, back: null, asked: false });
  } else if (step.do === 'note-withdrawn') {
    if (row) [row.ready, row.offered] = [false, NONE];
    else writer.at = 'read';
  } else if (step.do === 'let-go') {
    if (row) [row.slot, row.back, row.asked] = [NONE, null, false];
    release();
  } else if (step.do === 'settle') {
    [writer.at, writer.settle] = ['read', true];
  } else if (step.do === 'wait' || step.do === 'ask') {
    if (step.do === 'ask' && row) row.asked = true;
    release();
  } else {
    [writer.at, writer.queue] = ['send', TELEGRAMS[step.do]!];
  }
  // What is sent no longer depends on what was seen.
  if (writer.at === 'send') Object.assign(writer, { view: null, order: found!.order, plan: row?.plan ?? NONE });
}

/** The writer goes on by one telegram or one statement; without its lease it goes home. */
function* go(world: World, id: number, rules: Rules): Generator<Event, void, void> {
  const copy = (): World => clone(world);
  const writer = world.writers[id]!;
  const event = (name: string, changed: World, wrong?: string): Event => ({
    ...{ name: `writer ${id} ${name}`, world: changed, progress: true, ...(wrong ? { wrong } : {}) },
  });
  if (writer.at === 'idle') {
    if (world.lease === NONE)
      for (const slot of [0, 1]) {
        const after = copy();
        after.lease = id;
        Object.assign(after.writers[id]!, { at: 'read', slot });
        yield event(`takes the lease for slot ${slot}`, after);
      }
    return;
  }
  if (writer.at === 'read') {
    if (writer.settle && world.mid[writer.slot] !== NONE) return;
    const after = copy();
    const { view, settle, slot } = writer;
    const now = after.slots[slot]!;
    const same =
      view !== null && JSON.stringify({ ...now, settled: false }) === JSON.stringify({ ...view, settled: false });
    Object.assign(after.writers[id]!, {
      at: 'look',
      settle: false,
      view: { ...now, settled: settle && same && !now.ready },
    });
    return void (yield event('reads', after));
  }
  if (writer.at === 'look') {
    const after = copy();
    decide(after, id, rules);
    return void (yield event('decides', after));
  }
  if (writer.flight === null) {
    const after = copy();
    const [telegram = null, ...queue] = after.writers[id]!.queue;
    const done = { at: 'read', view: null, order: NONE, plan: NONE };
    Object.assign(after.writers[id]!, telegram ? { flight: telegram, queue } : done);
    return void (yield event(telegram ? `sends ${telegram}` : 'has sent all', after));
  }
}

/** A telegram under way lands or is lost, and its answer arrives or not: a program can undo what was confirmed. */
function* flight(world: World, id: number): Generator<Event, void, void> {
  const { flight: telegram } = world.writers[id]!;
  if (!telegram) return;
  for (const [answered, landed] of [
    [true, true],
    [true, false],
    [false, true],
    [false, false],
  ] as const) {
    const after = clone(world);
    const writer = after.writers[id]!;
    const wrong = landed ? land(after, writer, telegram) : undefined;
    if (answered) writer.flight = null;
    else after.writers[id] = idle();
    const name = `${telegram} of writer ${id} ${landed ? 'lands' : 'is lost'}${answered ? '' : ', no answer'}`;
    yield { name, world: after, progress: true, ...(wrong ? { wrong } : {}) };
  }
}

function* plc(world: World, { clearing, echo }: Rules): Generator<Event, void, void> {
  for (const [index, slot] of world.slots.entries()) {
    const after = clone(world);
    const target = after.slots[index]!;
    if (world.mid[index] !== NONE) {
      target.taken = true;
      if (echo) [target.ready, target.echo] = [false, world.mid[index]!];
      after.mid[index] = NONE;
      yield { name: `PLC says taken in slot ${index}`, world: after, progress: true };
    } else if (slot.ready && !slot.taken && slot.number !== NONE) {
      const row = world.rows[slot.number]!;
      after.mid[index] = slot.number;
      after.took[slot.number] = world.took[slot.number]! + 1;
      const wrong =
        world.took[slot.number]! > 0
          ? 'taken twice'
          : slot.record !== row.offered || (slot.record !== row.plan && row.back === null)
            ? "taken with another plan than Odoo's"
            : !row.ready
              ? 'taken after it was withdrawn'
              : undefined;
      yield { name: `PLC copies slot ${index}`, world: after, progress: true, ...(wrong ? { wrong } : {}) };
    } else if (slot.taken && clearing === 'plc') {
      after.slots[index] = emptySlot(slot.echo);
      yield { name: `PLC clears slot ${index}`, world: after, progress: true };
    }
  }
}

/** Kills, an operator at the panel, Odoo, a person who looks at the PLC. */
function* others(world: World): Generator<Event, void, void> {
  const change = (name: string, act: (after: World) => void, progress = false): Event => {
    const after = clone(world);
    act(after);
    return { name, world: after, progress };
  };
  for (const [id, writer] of world.writers.entries())
    if (writer.at !== 'idle' && writer.flight === null)
      yield change(`writer ${id} is killed`, (after) => void (after.writers[id] = idle()));
  const holder = world.writers[world.lease];
  if (holder?.flight === null)
    yield change(
      'the lease ends',
      (after) => {
        after.writers[after.lease] = idle();
        after.lease = NONE;
      },
      true,
    );
  for (const [index, slot] of world.slots.entries())
    if (slot.number !== NONE || slot.ready || slot.taken)
      yield change(`the operator clears slot ${index}`, (after) => void (after.slots[index] = emptySlot(slot.echo)));
  for (const [order, row] of world.rows.entries()) {
    const handed = row.slot !== NONE && !row.taken;
    if (!world.planChanges && row.open && !row.taken)
      yield change(`Odoo changes the plan of ${order}`, (after) => {
        after.planChanges = true;
        after.rows[order]!.plan = 1;
        if (handed) after.rows[order]!.back = 'plan';
      });
    if (row.open && !row.taken && order === 0) {
      yield change(`${order} is set aside`, (after) => {
        after.rows[order]!.open = false;
        if (handed) after.rows[order]!.back = 'closed';
      });
    }
    if (row.asked && !world.mid.includes(order))
      yield change(
        `a person decides about ${order}`,
        (after) => {
          const decided = after.rows[order]!;
          decided.asked = false;
          if (after.took[order]! > 0) Object.assign(decided, { taken: true, back: null });
          else [decided.ready, decided.offered, decided.back] = [false, NONE, decided.open ? 'person' : 'closed'];
        },
        true,
      );
  }
}

export function* successors(world: World, rules: Rules): Generator<Event, void, void> {
  for (const id of world.writers.keys()) {
    yield* go(world, id, rules);
    yield* flight(world, id);
  }
  yield* plc(world, rules);
  yield* others(world);
}
