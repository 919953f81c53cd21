/** What the recorded server, a proxy before it, or a broken connection may say besides what was recorded. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Played, playExchange } from '../../support/play-exchange';
import type { Exchange, RecordedState } from '../../support/recorded-odoo';

const JSON_TYPE: [string, string][] = [['Content-Type', 'application/json']];
const HTML: [string, string][] = [['Content-Type', 'text/html']];
const envelope = (result: unknown): object => ({ jsonrpc: '2.0', id: 1, result });
const failure = (name: string, message: string, code = 200): object => ({
  jsonrpc: '2.0',
  id: 1,
  error: {
    code,
    message: 'Odoo Server Error',
    data: { name, message, debug: '<traceback>', arguments: [message], context: {} },
  },
});
const error = (message: string): object => envelope({ status: 'error', message });

const MO = 'WH/MO/00011';
const state = (more: Partial<RecordedState>): RecordedState => ({
  state: 'progress',
  product_qty: 2500,
  qty_producing: 2500,
  qty_produced: 0,
  consumption: 'flexible',
  raw_done: { 'SILO A': 200 },
  ...more,
});
const open = state({});
const done = state({ state: 'done', qty_produced: 2500 });
const cancelled = state({ state: 'cancel' });

interface Unseen {
  status?: number | null;
  headers?: [string, string][];
  note?: string;
  stateAfter?: RecordedState;
  values?: object;
}

function unseen(
  path: string,
  values: object,
  body: unknown,
  { status = 200, headers = JSON_TYPE, ...more }: Unseen,
): Exchange {
  const request = {
    method: 'POST',
    path,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ params: values }),
  };
  return { name: 'unseen', request, response: { status, headers, body }, ...more };
}

type Case = [says: string, conclusion: Played, body: unknown, more?: Unseen];

const played = (what: string, path: string, standard: object, cases: Case[]): void => {
  for (const [says, conclusion, body, more = {}] of cases) {
    test(`${what}, ${says}: ${conclusion}`, async () => {
      assert.equal(await playExchange(unseen(path, more.values ?? standard, body, more)), conclusion);
    });
  }
};

const took = (code: string, kg: number): object => ({ equipment_code: code, applied_qty: kg });
const ACCESS_FR =
  "Vous n'êtes pas autorisé à modifier les enregistrements 'Mouvement de stock' (stock.move).\n\nContactez votre administrateur.";

/** What any call may get. */
const ANY: Case[] = [
  [
    'the transaction was aborted by another',
    'busy',
    failure('psycopg2.errors.InFailedSqlTransaction', 'current transaction is aborted'),
  ],
  ['serialisation failed', 'busy', failure('psycopg2.errors.SerializationFailure', 'could not serialize access')],
  ['the database is away', 'unavailable', failure('psycopg2.OperationalError', 'could not connect to server')],
  ['the rights are missing', 'not-permitted', failure('odoo.exceptions.AccessError', 'Nicht erlaubt')],
  ['the session has expired', 'session', failure('odoo.http.SessionExpiredException', 'Session expired', 100)],
  ['the route is not known in JSON', 'session', failure('werkzeug.exceptions.NotFound', '404', 404), { status: 404 }],
  ['a proxy does not know the route', 'unavailable', '<h1>Not Found</h1>', { status: 404, headers: HTML }],
  ['the route is not known, without a word', 'session', '', { status: 404 }],
  ['a gateway does not know the route, in JSON', 'unavailable', { message: 'no Route matched' }, { status: 404 }],
  ['it leads elsewhere', 'unavailable', '', { status: 302, headers: [['Location', 'https://elsewhere.example/']] }],
  ['it leads nowhere', 'unavailable', '', { status: 302 }],
  ['it leads to the login page', 'session', '', { status: 302, headers: [['Location', '/web/login']] }],
  ['a proxy has no Odoo behind it', 'unavailable', '<h1>502 Bad Gateway</h1>', { status: 502, headers: HTML }],
  ['a proxy says so in JSON', 'unavailable', { error: 'bad gateway' }, { status: 502 }],
  ['a proxy wants another login', 'unavailable', '<h1>Unauthorized</h1>', { status: 401, headers: HTML }],
  ['HTML with status 200', 'unavailable', '<html>maintenance</html>', { headers: HTML }],
  ['nobody listens', 'unavailable', '', { status: null, note: 'connection refused' }],
  ['the method is refused', 'bad-request', '<h1>405</h1>', { status: 405, headers: HTML }],
  ['neither result nor error', 'unavailable', { jsonrpc: '2.0', id: 1 }],
];

/** What a call that writes may get: without an answer there is no telling. */
const WRITES: Case[] = [
  ['the answer broke off', 'unknown-outcome', '{"jsonrpc": "2.0", "id": 1, "resu'],
  ['an empty answer', 'unknown-outcome', ''],
  ['the proxy gave up waiting', 'unknown-outcome', '<h1>504</h1>', { status: 504, headers: HTML }],
  ['the connection was cut', 'unknown-outcome', '', { status: null }],
];

played('update', '/api/scada/mo/update-with-consumptions', { mo_id: MO, silo101: 200, silo102: 1.5 }, [
  ...ANY,
  ...WRITES,
  [
    'every code echoed, as JSON of another content type',
    'confirmed',
    envelope({ status: 'success', consumed_items: [took('silo101', 200), took('silo102', 1.5)] }),
    { headers: HTML },
  ],
  [
    'a code with another quantity',
    'partial',
    envelope({ status: 'success', consumed_items: [took('silo101', 200), took('silo102', 1.51)] }),
  ],
  [
    'a code not echoed',
    'partial',
    envelope({ status: 'success', message: 'MO updated successfully', consumed_items: [took('silo101', 200)] }),
  ],
  ['nothing echoed at all', 'partial', envelope({ status: 'success' })],
  [
    'one error beside full echoes',
    'partial',
    envelope({
      status: 'success',
      consumed_items: [took('silo101', 200), took('silo102', 1.5)],
      errors: ['silo103: x'],
    }),
  ],
  [
    'an echo below the last hundredth',
    'confirmed',
    envelope({ status: 'success', consumed_items: [took('silo101', 200), took('silo102', 1.5049)] }),
  ],
  [
    'the finished quantity not echoed',
    'partial',
    envelope({ status: 'success', consumed_items: [took('silo101', 200)] }),
    { values: { mo_id: MO, quantity: 5, silo101: 200 } },
  ],
  [
    'the finished quantity echoed otherwise',
    'partial',
    envelope({ status: 'success', updated_finished_qty: 6, consumed_items: [took('silo101', 200)] }),
    { values: { mo_id: MO, quantity: 5, silo101: 200 } },
  ],
  ['rights are missing, in French', 'not-permitted', error(ACCESS_FR), { stateAfter: open }],
  [
    'the order is done, in words of another language',
    'order-done',
    error('Auftrag ist erledigt'),
    { stateAfter: done },
  ],
  [
    'refused, but done with the very same figures',
    'confirmed',
    error('Cannot update'),
    { stateAfter: done, values: { mo_id: MO, silo101: 200 } },
  ],
  [
    'the order is cancelled, in words of another language',
    'order-cancelled',
    error('Auftrag ist storniert'),
    { stateAfter: cancelled },
  ],
  ['refused in words that nobody knows', 'unexplained', error('Menge zu groß'), { stateAfter: open }],
  ['the addon refuses a value', 'bad-value', error('Finished quantity must be greater than 0'), { stateAfter: open }],
  [
    'a value is refused as an exception',
    'bad-value',
    failure('odoo.exceptions.ValidationError', 'No'),
    { stateAfter: open },
  ],
  [
    'the transaction was aborted, as a business error',
    'busy',
    error('current transaction is aborted, commands ignored'),
    { stateAfter: open },
  ],
  ['a result of another shape', 'unavailable', envelope(true)],
]);

played('mark-done', '/api/scada/mo/mark-done', { mo_id: MO, finished_qty: 2500 }, [
  ...ANY.map(([says, conclusion, body, more]): Case => [
    says,
    // Another transaction in the way of a closing is another closing.
    conclusion === 'busy' ? 'collided' : conclusion,
    body,
    { ...more, stateAfter: open },
  ]),
  ...WRITES.map(([says, conclusion, body, more]): Case => [
    `${says}, and it is open`,
    conclusion,
    body,
    { ...more, stateAfter: open },
  ]),
  ...WRITES.map(([says, , body, more]): Case => [
    `${says}, and it is done`,
    'confirmed',
    body,
    { ...more, stateAfter: done },
  ]),
  [
    'refused in another language, and it is open',
    'unexplained',
    error('Die Menge muss positiv sein!'),
    { stateAfter: open },
  ],
  [
    'refused in another language, and it has no quantity',
    'not-done',
    error('Die Menge muss positiv sein!'),
    { stateAfter: state({ qty_producing: 0 }) },
  ],
  ['the disk is full', 'busy', error('[Errno 28] No space left on device'), { stateAfter: open }],
  ['refused in another language, and it is done', 'confirmed', error('Keine Bewegung gefunden'), { stateAfter: done }],
  [
    'refused in another language, and it is cancelled',
    'order-cancelled',
    error('Keine Bewegung gefunden'),
    { stateAfter: cancelled },
  ],
  ['the rights are missing, in French', 'not-permitted', error(ACCESS_FR), { stateAfter: open }],
  [
    'done with another finished quantity',
    'order-done',
    envelope({ status: 'success' }),
    { stateAfter: state({ state: 'done', qty_produced: 2400 }) },
  ],
  ['the order is not known', 'unknown-order', error('MO not found: WH/MO/00011')],
  [
    'success, and it is open although nothing differs',
    'collided',
    envelope({ status: 'success' }),
    { stateAfter: state({ state: 'to_close' }) },
  ],
]);

played('login', '/api/scada/authenticate', { db: 'odoo14', login: 'scada', password: 'scada' }, [
  ['success without a cookie', 'unavailable', envelope({ status: 'success', uid: 6, session_id: 'never works' })],
  ['refused in another language', 'credentials', error('Zugriff verweigert')],
  ['refused as an exception', 'credentials', failure('odoo.exceptions.AccessDenied', 'Access Denied')],
  ['HTML of a broken server', 'unavailable', '<h1>500</h1>', { status: 500, headers: HTML }],
  ['no answer', 'unavailable', '', { status: null }],
  ['an http address that leads to https', 'unavailable', '', { status: 301, headers: [['Location', 'https://odoo/']] }],
]);

for (const route of ['/api/scada/mo-list-detailed', '/api/scada/mo-detail']) {
  played(`reading by ${route}`, route, { mo_id: MO }, [
    ...ANY,
    ...WRITES.map(([says, , body, more]): Case => [says, 'unavailable', body, more]),
    ['the rights are missing, in French', 'not-permitted', error(ACCESS_FR)],
    ['success without orders', 'unavailable', envelope({ status: 'success' })],
    ['orders of another shape', 'unavailable', envelope({ status: 'success', data: [{ id: 1 }] })],
  ]);
}

played(
  'setting to 0',
  '/api/scada/material-consumption',
  { mo_id: MO, equipment_id: 'silo101', product_id: 2, timestamp: 'x', quantity: 0, update_mode: 'replace' },
  [
    ...ANY,
    ...WRITES,
    ['taken', 'confirmed', envelope({ status: 'success', applied_qty: 0 })],
    ['no such order', 'unknown-order', error('Validation failed: Manufacturing Order "WH/MO/00011" not found')],
    ['no such silo', 'bad-value', error('Validation failed: Equipment "silo101" not found')],
  ],
);

const CLOSE = {
  model: 'mrp.production',
  method: 'button_mark_done',
  args: [[1]],
  kwargs: { context: { skip_consumption: true, skip_backorder: true } },
};
played('closing', '/web/dataset/call_kw', CLOSE, [
  ...ANY,
  ...WRITES,
  ['a wizard in spite of the flags', 'collided', envelope({ type: 'ir.actions.act_window' })],
  ['nothing entered', 'bad-value', failure('odoo.exceptions.UserError', 'The quantity to produce must be positive!')],
]);

played(
  'other calls of the standard route',
  '/web/dataset/call_kw',
  { model: 'stock.move', method: 'write', args: [[1], { quantity_done: 0 }] },
  [['whatever it answers', 'not-sent', envelope(true)]],
);
played('update', '/api/scada/mo/update-with-consumptions', {}, [
  ['a number as the order', 'not-sent', envelope({ status: 'success' }), { values: { mo_id: 11, silo101: 1 } }],
  ['a list as a weight', 'not-sent', envelope({ status: 'success' }), { values: { mo_id: MO, silo101: [1] } }],
  ['finished goods as text', 'not-sent', error('x'), { values: { mo_id: MO, silo101: 1, quantity: '5' } }],
  ['finished goods below 0', 'not-sent', error('x'), { values: { mo_id: MO, silo101: 1, quantity: -5 } }],
  [
    'a code in other letters',
    'partial',
    envelope({ status: 'success', consumed_items: [], errors: ['SILO101: Equipment not found'] }),
    { values: { mo_id: MO, SILO101: 1 } },
  ],
]);
