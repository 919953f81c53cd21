/**
 * Records as plants have them: where each value lies, bytes that a PLC would hold, and what is to be read of them. The
 * bytes are written down here, not made by the code under test.
 */
import { type EnteredRow } from '../../../nodes/lib/plc/entered-layout';

export interface RecordCase {
  name: string;
  /** Settings of the table; slot 1 is looked at. */
  layout: { db: number; base: number; stride: number; slots: number; fields: EnteredRow[] };
  /** Data block → offset → hex. */
  bytes: Record<number, Record<number, string>>;
  read: { mo_id: string; complete: boolean; running?: boolean; finished?: number; kg: Record<string, number> };
}

const row = (field: string, type: string, offset: number | string, more: EnteredRow = {}): EnteredRow => ({
  ...{ field, type, offset },
  ...more,
});
const order = (type: string, offset: number, more: EnteredRow = {}): EnteredRow => row('mo_id', type, offset, more);
const complete = (type: string, offset: number | string, more: EnteredRow = {}): EnteredRow =>
  row('status_manufacturing', type, offset, more);
const running = (type: string, offset: number | string, more: EnteredRow = {}): EnteredRow =>
  row('status_operation', type, offset, more);
const FINISHED = 'actual_weight_quantity_finished_goods';
const at = (stride: number, fields: EnteredRow[], db = 100): RecordCase['layout'] => ({
  ...{ db, base: 0, stride, slots: 3, fields },
});
const text = (value: string): string => Buffer.from(value, 'latin1').toString('hex');
const wide = (value: string): string => Buffer.from(value, 'utf16le').swap16().toString('hex');

export const RECORDS: RecordCase[] = [
  {
    name: 'concrete plant, S7-1500: STRING[254], of which 20 characters are read, LREAL in t, state as an integer',
    layout: at(320, [
      order('STRING', 0, { length: 20 }),
      complete('INT', 256, { values: '3, 4' }),
      running('INT', 256, { values: '1 2' }),
      row('silo_a', 'LREAL', 258, { unit: 't' }),
      row('silo_b', 'LREAL', 266, { unit: 't' }),
    ]),
    bytes: {
      100: {
        // Behind its length stands what is left of a longer text.
        0: `fe0b${text('WH/MO/00042STALE')}`,
        256: '0004',
        258: '3fea6666666666664000000000000000',
      },
    },
    read: { mo_id: 'WH/MO/00042', complete: true, running: false, kg: { silo_a: 825, silo_b: 2000 } },
  },
  {
    name: 'feed mill, S7-300: order number as DINT with prefix and width, weights as DINT in g, flags in a status word',
    layout: at(16, [
      order('DINT', 0, { prefix: 'WH/MO/', width: 5 }),
      complete('WORD', 4, { bit: 9 }),
      running('WORD', 4, { bit: 0 }),
      row('silo_a', 'DINT', 6, { unit: 'g' }),
      row('silo_b', 'DINT', 10, { unit: 'g' }),
    ]),
    bytes: { 100: { 0: '0000002a', 4: '0200', 6: '000c98b8000186a0' } },
    read: { mo_id: 'WH/MO/00042', complete: true, running: false, kg: { silo_a: 825.528, silo_b: 100 } },
  },
  {
    name: 'steel plant: order in DB20, status in DB50, weights in DB30',
    layout: at(
      20,
      [
        order('STRING', 4, { length: 14, db: 20, stride: 16 }),
        complete('BOOL', '0.3', { db: 50, stride: 2 }),
        running('BOOL', '0.2', { db: 50, stride: 2 }),
        row('silo_a', 'REAL', 0),
        row('silo_b', 'REAL', 4),
      ],
      30,
    ),
    bytes: {
      20: { 4: `0e0b${text('WH/MO/00042')}` },
      50: { 0: '0400' },
      30: { 0: '4416133342c80000' },
    },
    read: { mo_id: 'WH/MO/00042', complete: false, running: true, kg: { silo_a: 600.3, silo_b: 100 } },
  },
  {
    name: 'parallel arrays: ARRAY OF STRING[14], ARRAY OF INT, two ARRAY OF REAL',
    layout: at(16, [
      order('STRING', 0, { length: 14 }),
      complete('INT', 48, { stride: 2 }),
      row('silo_a', 'REAL', 54, { stride: 4 }),
      row('silo_b', 'REAL', 66, { stride: 4 }),
    ]),
    bytes: { 100: { 0: `0e0b${text('WH/MO/00042')}`, 48: '0001', 54: '44161333', 66: '42c80000' } },
    read: { mo_id: 'WH/MO/00042', complete: true, kg: { silo_a: 600.3, silo_b: 100 } },
  },
  {
    name: 'a list of positions as structures: material number and weight',
    layout: at(80, [
      order('STRING', 0, { length: 20 }),
      complete('BOOL', '22.0'),
      row('position_material', 'INT', 24, { count: 4, step: 6 }),
      row('position_weight', 'REAL', 26, { count: 4, step: 6 }),
    ]),
    bytes: {
      100: { 0: `140b${text('WH/MO/00042')}`, 22: '0100', 24: '0065441613330067420a0000006541200000000a00000000' },
    },
    read: { mo_id: 'WH/MO/00042', complete: true, kg: { silo_a: 610.3, silo_b: 0, silo_c: 34.5, lq_fml: 0 } },
  },
  {
    name: 'a list of positions as two arrays in the slot: codes as CHAR, weights as UDINT × 0.1',
    layout: at(60, [
      order('CHAR', 0, { length: 12 }),
      complete('BYTE', 13, { values: 2 }),
      row('position_material', 'CHAR', 14, { count: 2, step: 8, length: 7 }),
      row('position_weight', 'UDINT', 30, { count: 2, step: 4, scale: 0.1 }),
    ]),
    bytes: {
      100: { 0: text('WH/MO/00042 '), 13: '02', 14: `${text('silo102\0lq115\0\0')}`, 30: '0000177500000064' },
    },
    read: { mo_id: 'WH/MO/00042', complete: true, kg: { silo_a: 0, silo_b: 600.5, lq_fml: 10 } },
  },
  {
    name: 'coarse and fine feed of one silo add up',
    layout: at(40, [
      order('STRING', 0, { length: 14 }),
      complete('BOOL', '16.0'),
      row('silo_a', 'REAL', 18, { part: true }),
      row('silo_a', 'REAL', 22, { part: true }),
      row('silo_b', 'REAL', 26),
    ]),
    bytes: { 100: { 0: `0e0b${text('WH/MO/00042')}`, 16: '01', 18: '44160000411e666642c80000' } },
    read: { mo_id: 'WH/MO/00042', complete: true, kg: { silo_a: 609.9, silo_b: 100 } },
  },
  {
    name: 'S7-200: a text with one length byte, and words at odd addresses',
    layout: at(
      40,
      [
        order('S7-200 STRING', 0, { length: 16 }),
        complete('BOOL', '17.7'),
        row('silo_a', 'REAL', 19),
        row('silo_b', 'INT', 23, { scale: 0.1 }),
      ],
      1,
    ),
    bytes: { 1: { 0: `0b${text('WH/MO/00042STALE')}`, 17: '80', 19: '44161333', 23: '03e8' } },
    read: { mo_id: 'WH/MO/00042', complete: true, kg: { silo_a: 600.3, silo_b: 100 } },
  },
  {
    name: 'S7-1500 with WSTRING',
    layout: at(80, [order('WSTRING', 0, { length: 20 }), complete('BOOL', '44.0'), row('silo_a', 'REAL', 46)]),
    bytes: { 100: { 0: `0014000b${wide('WH/MO/00042Ä')}`, 44: '01', 46: '44161333' } },
    read: { mo_id: 'WH/MO/00042', complete: true, kg: { silo_a: 600.3 } },
  },
  {
    name: 'ARRAY OF WCHAR, blank-filled',
    layout: at(60, [order('WCHAR', 0, { length: 14 }), complete('BOOL', '28.0'), row('silo_a', 'REAL', 30)]),
    bytes: { 100: { 0: wide('WH/MO/00042   '), 28: '01', 30: '44161333' } },
    read: { mo_id: 'WH/MO/00042', complete: true, kg: { silo_a: 600.3 } },
  },
  {
    name: 'thumbwheels: order and weights in BCD',
    layout: at(12, [
      order('BCD16', 0, { prefix: 'MO-', width: 6 }),
      complete('BOOL', '2.0'),
      row('silo_a', 'BCD32', 4, { scale: 0.1 }),
      row('silo_b', 'BCD16', 8),
      row('silo_c', 'BCD8', 10),
    ]),
    bytes: { 100: { 0: '0042', 2: '01', 4: '0000600300420799' } },
    read: { mo_id: 'MO-000042', complete: true, kg: { silo_a: 600.3, silo_b: 42, silo_c: 7 } },
  },
  {
    name: 'complete is "not busy"',
    layout: at(30, [
      order('STRING', 0, { length: 14 }),
      complete('BOOL', '16.0', { inverted: true }),
      running('BOOL', '16.0'),
      row('silo_a', 'REAL', 18),
    ]),
    bytes: { 100: { 0: `0e0b${text('WH/MO/00042')}`, 16: '00', 18: '44161333' } },
    read: { mo_id: 'WH/MO/00042', complete: true, running: false, kg: { silo_a: 600.3 } },
  },
  {
    name: 'the same with an order just entered: blank memory completes nothing',
    layout: at(30, [
      order('STRING', 0, { length: 14 }),
      complete('BOOL', '16.0', { inverted: true }),
      row('silo_a', 'REAL', 18),
    ]),
    bytes: { 100: { 0: `0e0b${text('WH/MO/00042')}` } },
    read: { mo_id: 'WH/MO/00042', complete: false, kg: { silo_a: 0 } },
  },
  {
    name: 'state machine where 0 is complete',
    layout: at(30, [
      order('STRING', 0, { length: 14 }),
      complete('USINT', 16, { values: [0, 9] }),
      running('USINT', 16, { values: [1, 2, 3] }),
      row('silo_a', 'REAL', 18),
    ]),
    bytes: { 100: { 0: `0e0b${text('WH/MO/00042')}`, 16: '09', 18: '44161333' } },
    read: { mo_id: 'WH/MO/00042', complete: true, running: false, kg: { silo_a: 600.3 } },
  },
  {
    name: 'a trigger bit that acknowledging clears',
    layout: at(30, [
      order('STRING', 0, { length: 14 }),
      complete('BOOL', '16.0'),
      row('acknowledged', 'BOOL', '16.0', { inverted: true }),
      row('silo_a', 'REAL', 18),
    ]),
    bytes: { 100: { 0: `0e0b${text('WH/MO/00042')}`, 16: '01', 18: '44161333' } },
    read: { mo_id: 'WH/MO/00042', complete: true, kg: { silo_a: 600.3 } },
  },
  {
    name: 'a handshake word: acknowledged by the value 2',
    layout: at(30, [
      order('STRING', 0, { length: 14 }),
      complete('INT', 16, { values: [1] }),
      row('acknowledged', 'INT', 16, { values: [2] }),
      row('silo_a', 'REAL', 18),
    ]),
    bytes: { 100: { 0: `0e0b${text('WH/MO/00042')}`, 16: '0001', 18: '44161333' } },
    read: { mo_id: 'WH/MO/00042', complete: true, kg: { silo_a: 600.3 } },
  },
  {
    name: 'DTL and LDT beside the batch are shown or skipped',
    layout: at(60, [
      order('STRING', 0, { length: 14 }),
      row('plc_time', 'DTL', 16),
      complete('BOOL', '36.0'),
      row('silo_a', 'REAL', 38),
    ]),
    bytes: {
      100: {
        0: `0e0b${text('WH/MO/00042')}`,
        16: '07ea0105020607080000000017aabbccddeeff00',
        36: '01',
        38: '44161333',
      },
    },
    read: { mo_id: 'WH/MO/00042', complete: true, kg: { silo_a: 600.3 } },
  },
  {
    name: 'a slot wider than any telegram: weights 1500 bytes behind the number',
    layout: at(2000, [
      order('STRING', 0, { length: 20 }),
      complete('BOOL', '1500.0'),
      row('silo_a', 'REAL', 1502),
      row('silo_b', 'REAL', 1996),
    ]),
    bytes: { 100: { 0: `140b${text('WH/MO/00042')}`, 1500: '01', 1502: '44161333', 1996: '42c80000' } },
    read: { mo_id: 'WH/MO/00042', complete: true, kg: { silo_a: 600.3, silo_b: 100 } },
  },
  {
    name: 'LINT counters in g and an order number of eight bytes',
    layout: at(40, [
      order('ULINT', 0, { prefix: 'MO/2026/' }),
      complete('DWORD', 8, { bit: 31 }),
      row('silo_a', 'LINT', 12, { unit: 'g' }),
      row('counter', 'UDINT', 20),
    ]),
    bytes: { 100: { 0: '00000000000004d2', 8: '80000000', 12: '0000000000092cdc', 20: '00000007' } },
    read: { mo_id: 'MO/2026/1234', complete: true, kg: { silo_a: 601.308 } },
  },
  {
    name: 'the number as digits in a STRING, keyed in at a panel',
    layout: at(40, [
      order('STRING', 0, { length: 8, prefix: 'WH/MO/', width: 5 }),
      complete('BOOL', '10.0'),
      row(FINISHED, 'UINT', 12, { scale: 10 }),
      row('silo_a', 'REAL', 14),
    ]),
    bytes: { 100: { 0: `0802${text('42')}393939`, 10: '01', 12: '007b', 14: '44161333' } },
    read: { mo_id: 'WH/MO/00042', complete: true, finished: 1230, kg: { silo_a: 600.3 } },
  },
  {
    name: 'CHAR at an odd address between bytes',
    layout: at(40, [
      row('counter', 'BYTE', 0),
      order('CHAR', 1, { length: 16 }),
      complete('SINT', 17),
      row('silo_a', 'REAL', 18),
    ]),
    bytes: { 100: { 0: `07${text('WH/MO/00042')}0000000000`, 17: '01', 18: '44161333' } },
    read: { mo_id: 'WH/MO/00042', complete: true, kg: { silo_a: 600.3 } },
  },
];
