import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextStep } from '../../../nodes/lib/domain/handover';
import { type Rules, successors } from './handover-events';
import { isOver, keyOf, start, type World } from './handover-world';

/** Only what is still to be looked at is kept. */
const FORGOTTEN = start();

interface Found {
  states: number;
  /** What went wrong, with the shortest way to it. */
  wrong?: string;
  way?: string[];
}

/** Breadth first through everything that can happen, until no new state appears or something is wrong. */
function explore(rules: Rules): Found {
  const ids = new Map<string, number>();
  const waiting: World[] = [];
  const cameFrom: { parent: number; name: string }[] = [];
  const progressTo: number[][] = [];
  const ends: number[] = [];
  const add = (world: World, parent: number, name: string): number => {
    const key = keyOf(world);
    const known = ids.get(key);
    if (known !== undefined) return known;
    const id = ids.size;
    ids.set(key, id);
    cameFrom.push({ parent, name });
    progressTo.push([]);
    waiting.push(world);
    if (isOver(world)) ends.push(id);
    return id;
  };
  const wayTo = (id: number): string[] => (id < 0 ? [] : [...wayTo(cameFrom[id]!.parent), cameFrom[id]!.name]);
  add(start(), -1, 'start');
  for (let id = 0; id < waiting.length; id += 1) {
    for (const { name, world, progress, wrong } of successors(waiting[id]!, rules)) {
      if (wrong) return { states: ids.size, wrong, way: [...wayTo(id), name] };
      const to = add(world, id, name);
      if (progress) progressTo[to]!.push(id);
    }
    waiting[id] = FORGOTTEN;
  }
  // Backwards from every good end: what is not reached this way is lost or stuck.
  const ending = new Set(ends);
  for (const id of ending) progressTo[id]!.forEach((earlier) => ending.add(earlier));
  const lost = cameFrom.findIndex((_, id) => !ending.has(id));
  return { states: ids.size, ...(lost < 0 ? {} : { wrong: 'lost', way: wayTo(lost) }) };
}

const KINDS = {
  'cleared by the bridge': { clearing: 'bridge', echo: false },
  'cleared by the PLC, which echoes the number': { clearing: 'plc', echo: true },
  'cleared by the PLC, without an echo': { clearing: 'plc', echo: false },
} as const;

for (const [kind, rules] of Object.entries(KINDS))
  test(`${kind}: no interleaving hands an order twice, loses it or gives it another plan`, (t) => {
    const found = explore({ ...rules, next: nextStep });
    t.diagnostic(`${found.states} states`);
    assert.equal(found.wrong, undefined, found.way?.join('\n'));
  });

test('ready before the read-back is found', () => {
  const next: Rules['next'] = (order, slot, clearing) => {
    const step = nextStep(order, slot, clearing);
    return step.do === 'write' && order?.number === slot.number ? { do: 'offer' } : step;
  };
  assert.equal(explore({ ...KINDS['cleared by the bridge'], next }).wrong, "taken with another plan than Odoo's");
});

test('ready set again after a kill is found', () => {
  const next: Rules['next'] = (order, slot, clearing) => {
    const step = nextStep(order, slot, clearing);
    return step.do === 'ask' && step.problem === 'ready-gone' && order
      ? nextStep({ ...order, ready: false }, slot, clearing)
      : step;
  };
  assert.equal(explore({ ...KINDS['cleared by the PLC, without an echo'], next }).wrong, 'taken twice');
});

test('a withdrawal that does not wait for what the PLC is about to say is found', () => {
  const next: Rules['next'] = (order, slot, clearing) => nextStep(order, { ...slot, settled: !slot.ready }, clearing);
  assert.equal(explore({ ...KINDS['cleared by the bridge'], next }).wrong, 'taken twice');
});

test('a slot that is not free and not ours is left alone, whatever its bits say', () => {
  const order = { number: 'WH/MO/00001', record: 'aa', ready: false, taken: false, back: null };
  const foreign = { number: 'WH/MO/00002', record: 'aa', ready: false, taken: false, echo: '', settled: false };
  assert.deepEqual(nextStep(order, foreign, 'bridge'), { do: 'let-go' });
  const offered = { ...order, ready: true };
  assert.deepEqual(nextStep(offered, { ...foreign, ready: true }, 'bridge'), { do: 'ask', problem: 'ready-gone' });
  for (const slot of [foreign, { ...foreign, number: '', ready: true }, { ...foreign, number: '', taken: true }])
    assert.deepEqual(nextStep(undefined, slot, 'bridge'), { do: 'wait', why: 'foreign' });
});
