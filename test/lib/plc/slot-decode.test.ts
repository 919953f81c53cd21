import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bytesOf, decodeField } from '../../../nodes/lib/plc/slot-decode';
import { type SlotField, type SlotType } from '../../../nodes/lib/plc/slot-layout';
import { problem, type SlotProblem } from '../../../nodes/lib/plc/slot-problem';

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');

describe('decoding a field', () => {
  const numbers: [SlotType, string, number][] = [
    ['REAL', '44 16 13 33', 600.2999877929688], // 600.3 in float32
    ['REAL', '40 49 0f db', Math.PI + 8.74227800037248e-8],
    ['REAL', '80 00 00 00', -0],
    ['REAL', '00 00 00 01', 1.401298464324817e-45], // the smallest denormal
    ['REAL', '7f 80 00 00', Infinity],
    ['REAL', 'ff 80 00 00', -Infinity],
    ['REAL', '7f c0 00 00', NaN],
    ['LREAL', '40 82 c2 66 66 66 66 66', 600.3],
    ['LREAL', '7f f8 00 00 00 00 00 00', NaN],
    ['INT', '94 ed', -27411],
    ['UINT', '94 ed', 38125],
    ['WORD', '94 ed', 38125],
    ['DINT', '00 00 94 ed', 38125],
    ['DINT', 'ff ff ff ff', -1],
    ['UDINT', 'ff ff ff ff', 4294967295],
    ['DWORD', '00 01 42 23', 82467],
    ['BYTE', 'ff', 255],
    ['USINT', '80', 128],
    ['SINT', '80', -128],
  ];
  for (const [type, hex, value] of numbers) {
    it(`${type} ${hex} is ${Object.is(value, -0) ? '-0' : value}`, () => {
      const field: SlotField = { field: 'silo_a', type, offset: 3 };
      const raw = bytes(hex);
      const slot = Buffer.concat([Buffer.alloc(3, 0xaa), raw, Buffer.alloc(2, 0x55)]);
      const decoded = decodeField(slot, field);
      assert.ok(Object.is(decoded.value, value), String(decoded.value));
      assert.equal(bytesOf(slot, field).toString('hex'), raw.toString('hex'));
    });
  }

  it('BOOL takes its own bit only', () => {
    for (let bit = 0; bit < 8; bit += 1) {
      const field: SlotField = { field: 'status_manufacturing', type: 'BOOL', offset: 1 + bit / 10 };
      assert.equal(decodeField(Buffer.from([0, 1 << bit]), field).value, true);
      assert.equal(decodeField(Buffer.from([0xff, 0xff ^ (1 << bit)]), field).value, false);
    }
  });

  const texts: [string, 'STRING' | 'CHAR', string, string, SlotProblem?][] = [
    ['a full STRING', 'STRING', '06 06 57 48 2f 4d 4f 31', 'WH/MO1'],
    ['what stands behind the current length', 'STRING', '06 03 57 48 31 4d 4f 31', 'WH1'],
    ['NULs and spaces at the end', 'CHAR', '57 48 31 20 20 00 20 00', 'WH1'],
    ['a space at the start', 'CHAR', '20 57 48 31 00 00 00 00', ' WH1'],
    ['a NUL in the middle', 'CHAR', '57 00 31 00 00 00 00 00', 'W\0' + '1'],
    ['a blank CHAR', 'CHAR', '20 20 00 20 00 00 00 20', ''],
    ['a zero-length STRING', 'STRING', '06 00 57 48 2f 4d 4f 31', ''],
    ['characters without a header', 'STRING', '00 00 57 48 2f 4d 4f 31', 'WH/MO1', problem('no-header')],
    ['blanks without a header', 'STRING', '00 00 20 00 20 20 20 20', ''],
    ['a STRING of NULs, never initialised', 'STRING', '00 00 00 00 00 00 00 00', ''],
    [
      'a length byte above the maximum',
      'STRING',
      '06 07 57 48 2f 4d 4f 31',
      'WH/MO1',
      problem('bad-length', { current: 7, maximum: 6 }),
    ],
    [
      'of a STRING[254] more characters than are read',
      'STRING',
      'fe 07 57 48 2f 4d 4f 31',
      'WH/MO1',
      problem('longer-text', { current: 7, read: 6 }),
    ],
    ['of a STRING[254] its first characters', 'STRING', 'fe 04 57 48 2f 31 4f 31', 'WH/1'],
    ['bytes that are not ASCII', 'CHAR', '57 48 e9 31 00 00 00 00', 'WH\u00e91', problem('not-ascii')],
  ];
  for (const [name, type, hex, value, found] of texts) {
    it(`${type}: ${name}`, () => {
      const decoded = decodeField(bytes(hex), { field: 'mo_id', type, offset: 0, length: type === 'STRING' ? 6 : 8 });
      assert.equal(decoded.value, value);
      assert.deepEqual(decoded.problem, found);
    });
  }
});
