/** Every recorded exchange, with the conclusion that a careful reader of the contract draws from it. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Played, playExchange } from '../../support/play-exchange';
import type { Exchange } from '../../support/recorded-odoo';

const exchanges = JSON.parse(
  readFileSync(join(process.cwd(), 'test/fixtures/odoo-exchanges.json'), 'utf8'),
) as Exchange[];

/** By the number that every exchange's name begins with. */
const EXPECTED: [conclusion: Played, why: string, numbers: string][] = [
  ['ok', 'a login that sets a cookie', '008 009 024 029 043 310 319'],
  ['ok', 'the 404 of a server with several databases: the other way in works', '318'],
  ['ok', 'orders were listed', '058 059 060 061 062 073 085'],
  ['ok', 'the order was told, consumed figures clamped or not', '065 066 077 080 082 120 128 130 131 168'],
  ['ok', 'moves were read with the same cookie', '312'],
  ['credentials', 'login refused: password, user or database', '011 012 013 014 311'],
  ['credentials', 'refused for now after too many failures: no login before the pause is over', '402 404 406'],
  ['not-permitted', 'the user may not read orders', '074 075'],
  ['unknown-order', 'Odoo does not know the order', '068 069 105'],
  ['bad-value', 'Odoo says that a value is missing which the call carried', '067'],
  ['confirmed', 'every code echoed as sent, to 0.01 kg', '076 078 079 081 083 086 087 088 113 129 149 159 199 340 397'],
  ['confirmed', 'every code and the finished quantity echoed', '119 123 127 162 170 174 176 180 182 184 186 191'],
  ['partial', 'a code that Odoo does not know, or that the order has no move for', '089 090 091'],
  ['not-done', 'Odoo says success, and the order is open', '171 177 183'],
  ['not-done', 'no quantity was sent before', '158 160 161'],
  ['confirmed', 'marked done and read back as done', '163 175 194 407'],
  ['confirmed', 'marked done a second time: done, with the same moves', '164'],
  ['confirmed', 'closed although it differs: true is done', '173'],
  ['confirmed', 'set back to 0', '212'],
  ['order-done', 'done with other figures', '166'],
  ['order-cancelled', 'cancelled, whatever the words', '202 203'],
  ['unknown-outcome', 'the client gave up, the server committed', '249'],
  ['bad-request', 'refused as a request, before anything was looked at', '017 021 026 027 028 064 135 138 144 145'],
  ['unavailable', 'HTML of a broken server', '018 019 140 142'],
  ['not-sent', 'no login without a password', '015'],
  ['not-sent', 'no order is named, or not as an order is spelled', '070 107 108 110 152'],
  ['not-sent', 'negative, text, null, NaN, infinite or beyond any silo', '092 095 096 098 112 114 115'],
  ['not-sent', 'nothing above 0 after rounding: an update cannot say it', '093 094 104'],
  ['not-sent', 'keys that would be taken for equipment codes, or rescale the order', '103 125 341 342'],
  ['not-sent', 'no finished quantity above 0', '121 154 155 157'],
  ['not-sent', 'material-consumption for anything but a replace with 0', '207 208 209 210 211 213 214 215 216 217 222'],
  ['not-sent', 'material-consumption for anything but a replace with 0', '224 226 227 411 412'],
  ['not-called', 'health', '001 002 003 004 005 317 330 396'],
  ['not-permitted', 'the version is told to administrators only', '006 047'],
  ['bad-request', 'the version, without a JSON content type', '007'],
  ['ok', 'the version, and who is logged in', '048 314'],
  [
    'not-called',
    'mo-list-confirmed',
    '031 032 033 034 035 036 037 038 045 051 052 053 055 057 084 316 320 324 327 328 329 332',
  ],
  ['not-called', 'routes that there are not', '039 040 041'],
  ['not-called', 'lists by GET, equipment, cancel', '071 072 169 200 201 204 206'],
  ['not-called', 'mark-done by id, validate, weight, acknowledge, status', '192 230 232 233 234 235 413'],
  ['not-called', 'the standard RPC and session routes', '250 251 252 253 313 315 326 334'],
  ['not-called', 'the standard RPC on orders and moves', '263 264 265 266 267 268 269 272 274 275 276 277 279 280'],
  ['not-called', 'the standard RPC on orders and moves', '281 282 283 284 285 288 289 290 291 295 296 300 301 302'],
  ['not-called', 'the standard RPC on orders and moves', '303 304 305 306 307 408'],
];

const table = new Map(
  EXPECTED.flatMap(([conclusion, why, list]) => list.split(' ').map((number) => [number, { conclusion, why }])),
);
const numberOf = ({ name }: Exchange): string => name.slice(0, 3);

test('the table of expected conclusions names every recorded exchange, each once', () => {
  const named = EXPECTED.flatMap(([, , list]) => list.split(' ')).sort();
  assert.deepEqual(named, exchanges.map(numberOf).sort());
});

for (const exchange of exchanges) {
  const expected = table.get(numberOf(exchange));
  test(`${exchange.name}: ${expected?.conclusion} (${expected?.why})`, async () => {
    assert.equal(await playExchange(exchange), expected?.conclusion);
  });
}
