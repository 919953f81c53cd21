import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  acknowledged,
  blankSlot,
  PACKED_WORDS,
  S7_BATCH_RECORD,
  writeSlot,
} from '../../../examples/plant/plc/batch-memory';
import { type S7Server } from '../../../examples/plant/plc/s7-server';
import { checkReading } from '../../../nodes/lib/domain/reading';
import { SiloMap } from '../../../nodes/lib/domain/silos';
import { type SlotReading } from '../../../nodes/lib/plc/slot-guards';
import { LAYOUT_PRESETS, type SlotLayout } from '../../../nodes/lib/plc/slot-layout';
import { type PlcError } from '../../../nodes/lib/plc/plc-errors';
import { SlotReader, type SlotReadResult } from '../../../nodes/lib/plc/slot-reader';
import { connected, DB, fails, mo, plant, type Plant, RECORD } from './reader-plant';

describe('reading slots over TCP', () => {
  for (const [pduSize, fit] of [
    [240, 2],
    [480, 5],
    [960, 10],
  ] as const) {
    it(`PDU ${pduSize}: ${fit} slots to a telegram, and those that tell an order not told before once more`, async (t) => {
      const { server, reader, put } = await plant(t, { pduSize });
      for (let slot = 1; slot <= 8; slot += 1) {
        put(slot, { mo_id: mo(slot), consumption: { silo_a: slot + 0.3 }, status_manufacturing: slot <= 2 });
      }
      const spans: string[] = [];
      server.onRead((db, start, length) => void spans.push(`${db}:${start}+${length}`));
      const first = await reader.read();
      assert.deepEqual(
        [...new Set(spans)].sort(),
        Array.from({ length: 10 }, (_, index) => `100:${index * 110}+88`).sort(),
      );
      assert.equal(spans.length, 18);
      assert.equal(first.telegrams, Math.ceil(10 / fit) + Math.ceil(8 / fit));
      assert.equal(first.empty, 2);
      assert.deepEqual(first.rejected, []);
      assert.deepEqual(
        first.readings.map(({ slot, status_manufacturing, consumption }) => [
          slot,
          status_manufacturing,
          consumption.silo_a,
        ]),
        Array.from({ length: 8 }, (_, index) => [index + 1, index < 2, index + 1.3]),
      );
      const telegrams = server.counters.telegrams;
      const second = await reader.read();
      assert.equal(server.counters.telegrams - telegrams, Math.ceil(10 / fit));
      assert.equal(second.telegrams, Math.ceil(10 / fit));
      assert.equal(second.readings.filter((reading) => reading.status_manufacturing).length, 2);
    });
  }

  it('64 slots go over a connection that allows one job at a time', async (t) => {
    const { reader, put } = await plant(t, { layout: { ...RECORD, slots: 64 }, jobs: 1 });
    for (let slot = 1; slot <= 64; slot += 1) put(slot, { mo_id: mo(slot) });
    assert.equal((await reader.read()).readings.length, 64);
  });

  it('the preset "packed words" reads what the plant wrote', async (t) => {
    const { server, reader } = await plant(t, { layout: LAYOUT_PRESETS['packed words'] });
    const record = { mo_id: 'WH/MO/00007', status_operation: true, consumption: { silo_a: 381.25, lq_fml: 0.07 } };
    writeSlot(server.memory(DB), PACKED_WORDS, 10, record);
    const { readings, empty } = await reader.read();
    assert.equal(empty, 9);
    assert.equal(readings[0]?.consumption.silo_a, 381.25);
    assert.equal(readings[0]?.consumption.lq_fml, 0.07);
    assert.equal(readings[0]?.status_operation, true);
  });

  it('a slot may fill one telegram of PDU 240 to the last byte; with one byte more it is two items', async (t) => {
    const wide = (bytes: number): SlotLayout => ({
      ...RECORD,
      stride: 300,
      fields: [...RECORD.fields.slice(0, -1), { field: 'lq_fml', type: 'USINT', offset: bytes - 1 }],
    });
    const { server, endpoint, reader } = await plant(t, { pduSize: 240, layout: wide(222) });
    assert.equal((await reader.read()).empty, 10);
    assert.equal(server.counters.reads, 10);
    const wider = new SlotReader(endpoint, wide(223), new SiloMap());
    assert.equal((await wider.read()).empty, 10);
    wider.close();
    assert.equal(server.counters.reads, 30);
    const [id, ...others] = RECORD.fields;
    const long = { ...RECORD, stride: 500, fields: [{ ...id!, offset: 100, length: 221 }, ...others.slice(0, 6)] };
    const tooWide = new SlotReader(endpoint, long, new SiloMap());
    await assert.rejects(tooWide.read(), fails('too-big', /223 bytes.* 222 \(PDU 240 - 18\)/));
    tooWide.close();
    assert.equal(server.counters.reads, 30);
  });

  it('an implausible slot is rejected whole, the others are read', async (t) => {
    const { reader, put } = await plant(t);
    put(1, { mo_id: mo(1), consumption: { silo_c: NaN, silo_d: 12 } });
    put(2, { mo_id: mo(2), consumption: { silo_d: 12 } });
    put(3, { mo_id: mo(3) });
    put(4, { mo_id: mo(3) });
    const { readings, rejected } = await reader.read();
    assert.deepEqual(
      readings.map(({ slot }) => slot),
      [2],
    );
    assert.deepEqual(
      rejected.map(({ slot }) => slot),
      [1, 3, 4],
    );
    assert.deepEqual(rejected[0]?.problems[0], {
      field: 'silo_c',
      code: 'not-finite',
      values: {},
      value: 'NaN',
      raw: '7fc00000',
    });
  });

  it('a weight that falls is passed on and flagged', async (t) => {
    const { reader, put } = await plant(t);
    put(1, { mo_id: mo(1), consumption: { silo_a: 10, silo_b: 5 } });
    assert.equal((await reader.read()).readings[0]?.falling, undefined);
    put(1, { consumption: { silo_a: 9 } });
    const [reading] = (await reader.read()).readings;
    assert.equal(reading?.consumption.silo_a, 9);
    assert.deepEqual(reading?.falling, ['silo_a']);
    put(1, { mo_id: mo(2), consumption: { silo_a: 0 } });
    assert.equal((await reader.read()).readings[0]?.falling, undefined);
  });
});

describe('accepting a completion', () => {
  /** Calls `change` before the second read of slot 1 in a trigger. */
  const beforeSecondRead = (server: S7Server, change: () => void): (() => void) => {
    let reads = 0;
    return server.onRead((_db, start) => {
      if (start === 0 && (reads += 1) === 2) change();
    });
  };

  it('two looks that differ are not believed: the third one decides', async (t) => {
    const { server, reader, put } = await plant(t);
    put(1, { mo_id: mo(1), status_manufacturing: true, consumption: { silo_a: 100 } });
    beforeSecondRead(server, () => put(1, { consumption: { silo_a: 120 } }));
    const { readings, telegrams } = await reader.read();
    assert.deepEqual([readings[0]?.status_manufacturing, readings[0]?.consumption.silo_a], [true, 120]);
    assert.equal(telegrams, 4);
    assert.equal((await reader.read()).telegrams, 2);
  });

  it('looks that all differ leave the slot running until the next trigger', async (t) => {
    const { server, reader, put } = await plant(t);
    put(1, { mo_id: mo(1), status_manufacturing: true, consumption: { silo_a: 100 } });
    let kg = 100;
    const off = server.onRead((_db, start) => start === 0 && put(1, { consumption: { silo_a: (kg += 10) } }));
    const torn = (await reader.read()).readings[0];
    assert.deepEqual([torn?.status_manufacturing, torn?.consumption.silo_a], [false, 130]);
    off();
    const settled = await reader.read();
    assert.equal(settled.telegrams, 3);
    assert.deepEqual([settled.readings[0]?.status_manufacturing, settled.readings[0]?.consumption.silo_a], [true, 130]);
  });

  it('an accepted slot that changes is not believed at once', async (t) => {
    const { server, reader, put } = await plant(t);
    put(1, { mo_id: mo(1), status_manufacturing: true, consumption: { silo_a: 100 } });
    assert.equal((await reader.read()).readings[0]?.status_manufacturing, true);
    put(1, { consumption: { silo_a: 0 } });
    beforeSecondRead(server, () => blankSlot(server.memory(DB), S7_BATCH_RECORD, 1));
    const { readings, rejected, telegrams } = await reader.read();
    assert.deepEqual(readings, []);
    assert.equal(telegrams, 3);
    assert.equal(rejected[0]?.problems[0]?.code, 'left-slot');
    assert.equal(rejected[0]?.mo_id, mo(1));
  });

  it('the next MO in the same slot is a new completion', async (t) => {
    const { reader, put } = await plant(t);
    put(1, { mo_id: mo(1), status_manufacturing: true });
    assert.equal((await reader.read()).telegrams, 3);
    put(1, { mo_id: mo(2) });
    const { readings, telegrams } = await reader.read();
    assert.deepEqual([telegrams, readings[0]?.mo_id, readings[0]?.status_manufacturing], [3, mo(2), true]);
  });

  it('a connection lost while settling fails the whole read and accepts nothing', async (t) => {
    const { server, endpoint, reader, put } = await plant(t);
    put(1, { mo_id: mo(1), status_manufacturing: true });
    const off = beforeSecondRead(server, () => void server.setFault({ dropMidTelegram: true }));
    await assert.rejects(reader.read(), (error: PlcError) => ['offline', 'protocol'].includes(error.kind));
    off();
    await server.clearFaults();
    await connected(endpoint);
    const { readings, telegrams } = await reader.read();
    assert.deepEqual([telegrams, readings[0]?.status_manufacturing], [3, true]);
  });
});

describe('a slot that tells something new', () => {
  /** Calls `change` before the second read of slot 1. */
  const settling = async ({ server, reader }: Plant, change: () => void): Promise<SlotReadResult> => {
    let reads = 0;
    const off = server.onRead((_db, start) => {
      if (start === 0 && (reads += 1) === 2) change();
    });
    const result = await reader.read();
    off();
    return result;
  };
  const complete = { status_manufacturing: true, consumption: { silo_a: 825.5 } };

  it('a running bit that blinks between the two reads keeps no completion back', async (t) => {
    const place = await plant(t);
    place.put(1, { mo_id: mo(1), ...complete, status_operation: true });
    const { readings } = await settling(place, () => place.put(1, { status_operation: false }));
    assert.deepEqual([readings[0]?.status_manufacturing, readings[0]?.status_operation], [true, false]);
    place.put(1, { status_operation: true });
    assert.equal((await place.reader.read()).telegrams, 2, 'and makes no accepted completion new');
  });

  it('a new number over the weights of the last batch, which are cleared a scan later, tells the second weights only', async (t) => {
    const place = await plant(t);
    place.put(1, { mo_id: mo(1), consumption: { silo_a: 825.5 } });
    await place.reader.read();
    place.put(1, { mo_id: mo(2) });
    const { readings, telegrams } = await settling(place, () => place.put(1, { consumption: { silo_a: 0.4 } }));
    assert.deepEqual([telegrams, readings.length, readings[0]?.mo_id], [3, 1, mo(2)]);
    assert.equal(readings[0]?.consumption.silo_a, 0.4);
    place.put(1, { consumption: { silo_a: 20 } });
    assert.equal((await place.reader.read()).telegrams, 2, 'once it has been told, one read is enough');
  });

  it('a number that changes between the two reads is not told before it has stood in both', async (t) => {
    const place = await plant(t);
    place.put(1, { mo_id: mo(1) });
    const { readings, rejected } = await settling(place, () => place.put(1, { mo_id: mo(2) }));
    assert.deepEqual([readings, rejected], [[], []]);
    assert.deepEqual(
      (await place.reader.read()).readings.map(({ mo_id }) => mo_id),
      [mo(2)],
    );
  });

  for (const [name, change] of [
    ['emptied', ({ server }) => blankSlot(server.memory(DB), S7_BATCH_RECORD, 1)],
    [
      'given to another order',
      ({ put }) => put(1, { mo_id: mo(2), consumption: { silo_a: 0 }, status_manufacturing: false }),
    ],
    ['typed over', ({ put }) => put(1, { mo_id: mo(2) })],
    ['left by its number', ({ put }) => put(1, { mo_id: '' })],
    ['cleared before its number', ({ put }) => put(1, { consumption: { silo_a: 0 }, status_manufacturing: false })],
  ] as [string, (place: Plant) => void][]) {
    it(`${name} within the settle time: what was complete goes on as running, flagged`, async (t) => {
      const place = await plant(t);
      place.put(1, { mo_id: mo(1), consumption: { silo_a: 800 } });
      await place.reader.read();
      place.put(1, complete);
      const { readings, rejected } = await settling(place, () => change(place));
      assert.deepEqual(rejected, []);
      assert.equal(readings.length, 1);
      const [reading] = readings;
      assert.deepEqual(
        [reading?.mo_id, reading?.consumption.silo_a, reading?.status_manufacturing],
        [mo(1), 825.5, false],
      );
      assert.deepEqual([reading?.seen_once, reading?.hold], [true, undefined]);
      const after = await place.reader.read();
      assert.ok(!after.readings.some(({ mo_id }) => mo_id === mo(1)), 'and is told once');
      assert.deepEqual(after.rejected, []);
    });
  }

  it('a completion that only the second look showed is looked at a third time: gone then, it goes on as running, flagged', async (t) => {
    const place = await plant(t);
    place.put(1, { mo_id: mo(1), consumption: { silo_a: 825.5 } });
    let looks = 0;
    place.server.onRead((_db, start) => {
      if (start !== 0) return;
      looks += 1;
      if (looks === 2) place.put(1, complete);
      if (looks === 3) blankSlot(place.server.memory(DB), S7_BATCH_RECORD, 1);
    });
    const { readings } = await place.reader.read();
    assert.deepEqual(
      readings.map(({ mo_id, status_manufacturing, seen_once, consumption }) => [
        mo_id,
        status_manufacturing,
        seen_once,
        consumption.silo_a,
      ]),
      [[mo(1), false, true, 825.5]],
    );
  });

  it('a completion that the second look showed first and the third confirms is told in the same read', async (t) => {
    const place = await plant(t);
    place.put(1, { mo_id: mo(1), consumption: { silo_a: 825.5 } });
    let looks = 0;
    place.server.onRead((_db, start) => {
      if (start === 0 && ++looks === 2) place.put(1, complete);
    });
    const { readings } = await place.reader.read();
    assert.deepEqual(
      readings.map(({ mo_id, status_manufacturing }) => [mo_id, status_manufacturing]),
      [[mo(1), true]],
    );
    assert.equal(looks, 3);
  });

  it('one that this slot had not told before, or that another slot tells too, is held for a person', async (t) => {
    const fresh = await plant(t);
    fresh.put(1, { mo_id: mo(1), ...complete });
    const first = await settling(fresh, () => blankSlot(fresh.server.memory(DB), S7_BATCH_RECORD, 1));
    assert.deepEqual([first.readings[0]?.seen_once, first.readings[0]?.hold], [true, 'seen-once']);
    assert.equal(first.readings[0]?.status_manufacturing, false);

    const moved = await plant(t);
    moved.put(1, { mo_id: mo(1), consumption: { silo_a: 800 } });
    moved.put(2, { mo_id: mo(9) });
    await moved.reader.read();
    moved.put(1, complete);
    moved.put(2, { mo_id: mo(3) });
    const { readings } = await settling(moved, () => {
      blankSlot(moved.server.memory(DB), S7_BATCH_RECORD, 1);
      moved.put(2, { mo_id: mo(1), consumption: { silo_a: 825.5 } });
    });
    assert.deepEqual([readings[0]?.slot, readings[0]?.hold], [1, 'seen-once']);
  });
});

describe('a batch without a number', () => {
  const weighed = { status_manufacturing: true, consumption: { silo_a: 825.5 } };

  it('is rejected once per change, and goes on counting as rejected', async (t) => {
    const { reader, put } = await plant(t);
    const told = async () => (await reader.read()).rejected.map(({ slot, repeated = false }) => [slot, repeated]);
    put(2, { mo_id: '', ...weighed });
    assert.deepEqual(await told(), [[2, false]]);
    assert.deepEqual(await told(), [[2, true]]);
    put(2, { consumption: { silo_a: 826 } });
    assert.deepEqual(await told(), [[2, false]]);
    put(2, { status_manufacturing: false, consumption: { silo_a: 0 } });
    assert.deepEqual(await told(), []);
    put(2, weighed);
    assert.deepEqual(await told(), [[2, false]], 'again, after the slot was empty');
  });

  it('with the figures that the slot told last is a leftover: free and silent; with others it is not', async (t) => {
    const { reader, put } = await plant(t);
    put(1, { mo_id: mo(1), ...weighed });
    await reader.read();
    put(1, { mo_id: '' });
    for (let round = 0; round < 2; round += 1) {
      const { rejected, empty, emptied, unnamed, telegrams } = await reader.read();
      assert.deepEqual([rejected, empty, telegrams], [[], 10, 2]);
      assert.ok(emptied.includes(1));
      assert.deepEqual(
        unnamed.map(({ slot, consumption }) => [slot, consumption.silo_a]),
        [[1, 825.5]],
      );
    }
    put(1, { consumption: { silo_a: 826 } });
    const { rejected } = await reader.read();
    const [found] = rejected[0]?.problems ?? [];
    assert.deepEqual([found?.code, found?.values], ['no-number-complete', { silos: 826, finished: 0 }]);
  });

  it('that is complete is no leftover of an order that was told as running only', async (t) => {
    const { reader, put } = await plant(t);
    put(1, { mo_id: mo(1), consumption: { silo_a: 825.5 } });
    await reader.read();
    put(1, { mo_id: '' });
    assert.deepEqual((await reader.read()).rejected, []);
    put(1, { status_manufacturing: true });
    assert.equal((await reader.read()).rejected.length, 1);
  });

  it('is handed to the store where one decides and this reader has not told the slot yet', async (t) => {
    const { reader, put } = await plant(t, { options: { asksStore: () => true } });
    put(1, { mo_id: '', ...weighed });
    const { rejected, unnamed } = await reader.read();
    assert.deepEqual([rejected, unnamed.map(({ slot }) => slot)], [[], [1]]);
    put(1, { mo_id: mo(1) });
    await reader.read();
    put(1, { mo_id: '', consumption: { silo_a: 1 } });
    assert.equal((await reader.read()).rejected.length, 1);
  });
});

describe('what a reading says about itself', () => {
  it('who read it, in which order, and what else its slot shows', async (t) => {
    const fields = [...RECORD.fields, { field: 'counter', type: 'UINT', offset: 88 } as const];
    const { server, reader, put } = await plant(t, { layout: { ...RECORD, fields }, options: { endpointId: 'plc' } });
    put(1, { mo_id: mo(1), acknowledged: true });
    put(2, { mo_id: mo(2) });
    server.memory(DB).writeUInt16BE(7, 88);
    const first = await reader.read();
    const second = await reader.read();
    assert.equal(first.source, 'plc/DB100');
    const all = [...first.readings, ...second.readings];
    assert.deepEqual(
      all.map(({ source, read_no, acknowledged, counter }) => [source, read_no, acknowledged, counter]),
      [
        ['plc/DB100', 1, true, 7],
        ['plc/DB100', 2, false, 0],
        ['plc/DB100', 3, true, 7],
        ['plc/DB100', 4, false, 0],
      ],
    );
    assert.equal(new Set(all.map((reading) => reading.reader)).size, 1);
    for (const reading of all) assert.deepEqual(checkReading(reading).problems, undefined);
    assert.deepEqual(first.emptied, [3, 4, 5, 6, 7, 8, 9, 10]);
  });

  it('another batch counter makes the same completion a new one', async (t) => {
    const fields = [...RECORD.fields, { field: 'counter', type: 'UINT', offset: 88 } as const];
    const { server, reader, put } = await plant(t, { layout: { ...RECORD, fields } });
    put(1, { mo_id: mo(1), status_manufacturing: true });
    await reader.read();
    assert.equal((await reader.read()).telegrams, 3);
    server.memory(DB).writeUInt16BE(8, 88);
    assert.equal((await reader.read()).telegrams, 4);
  });

  it('a slot is released when its acknowledge bit, read as 1 or set by this reader, is 0 again', async (t) => {
    const { reader, put } = await plant(t);
    put(1, { mo_id: mo(1), status_manufacturing: true, acknowledged: true });
    put(2, { mo_id: mo(2), status_manufacturing: true });
    const { readings } = await reader.read();
    await reader.acknowledge(readings[1]!);
    put(1, { mo_id: mo(3), acknowledged: false });
    put(2, { mo_id: mo(4), acknowledged: false });
    assert.deepEqual((await reader.read()).emptied.slice(0, 2), [1, 2]);
    assert.deepEqual((await reader.read()).emptied.slice(0, 2), [3, 4], 'said once');
  });
});

describe('acknowledging', () => {
  /** The reading of the one slot that holds an order. */
  const readOne = async (reader: SlotReader): Promise<SlotReading> => {
    const { readings } = await reader.read();
    assert.equal(readings.length, 1);
    return readings[0]!;
  };

  it('sets the one bit, once', async (t) => {
    const { server, reader, put } = await plant(t);
    put(3, { mo_id: mo(3), status_manufacturing: true, status_operation: true });
    const stored = await readOne(reader);
    const before = Buffer.from(server.memory(DB));
    assert.equal(await reader.acknowledge(stored), 'acknowledged');
    assert.ok(acknowledged(server.memory(DB), S7_BATCH_RECORD, 3));
    before[2 * 110 + 22]! |= 0b100;
    assert.deepEqual(server.memory(DB), before);
    assert.equal(await reader.acknowledge(stored), 'acknowledged');
    assert.equal(server.counters.writes, 1);
  });

  it('leaves a slot alone that is empty, holds another MO, or shows other values than those stored', async (t) => {
    const { server, reader, put } = await plant(t);
    put(4, { mo_id: mo(4), status_manufacturing: true, consumption: { silo_b: 12.5 } });
    const stored = await readOne(reader);
    put(4, { consumption: { silo_b: 12.75 } });
    assert.equal(await reader.acknowledge(stored), 'changed');
    put(4, { consumption: { silo_b: NaN } });
    assert.equal(await reader.acknowledge(stored), 'changed');
    put(4, { consumption: { silo_b: 12.5 }, status_manufacturing: false });
    assert.equal(await reader.acknowledge(stored), 'changed');
    put(4, { mo_id: mo(5), status_manufacturing: true });
    assert.equal(await reader.acknowledge(stored), 'released');
    blankSlot(server.memory(DB), S7_BATCH_RECORD, 4);
    assert.equal(await reader.acknowledge(stored), 'released');
    assert.equal(server.counters.writes, 0);
    put(4, { mo_id: mo(4), status_manufacturing: true, status_operation: true, consumption: { silo_b: 12.5 } });
    assert.equal(await reader.acknowledge(stored), 'acknowledged', 'that it no longer runs changes no weight');
  });

  it('writes a word in the preset "packed words", and needs a field and a slot to write to', async (t) => {
    const { server, endpoint, reader } = await plant(t, { layout: LAYOUT_PRESETS['packed words'] });
    writeSlot(server.memory(DB), PACKED_WORDS, 2, { mo_id: mo(2), status_manufacturing: true });
    const stored = await readOne(reader);
    await reader.acknowledge(stored);
    assert.equal(server.memory(DB).readInt16BE(100 + 84), 1);
    await assert.rejects(reader.acknowledge({ ...stored, slot: 11 }), /no slot 11/);
    const fields = RECORD.fields.filter(({ field }) => field !== 'acknowledged');
    const without = new SlotReader(endpoint, { ...RECORD, fields }, new SiloMap());
    await assert.rejects(without.acknowledge(stored), /no field "acknowledged"/);
    without.close();
  });

  it('a value that does not stay is an error; a slot that is emptied because of it is none', async (t) => {
    const { server, reader, put } = await plant(t);
    put(1, { mo_id: mo(1), status_manufacturing: true });
    const stored = await readOne(reader);
    const off = server.onRead(() => put(1, { acknowledged: false }));
    await assert.rejects(reader.acknowledge(stored), fails('protocol', /reads back as 0/));
    off();
    server.onRead(() => {
      if (acknowledged(server.memory(DB), S7_BATCH_RECORD, 1)) blankSlot(server.memory(DB), S7_BATCH_RECORD, 1);
    });
    assert.equal(await reader.acknowledge(stored), 'acknowledged');
  });
});
