import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONCLUSIONS } from '../../../nodes/lib/domain/conclusion';
import { type Answer, readEnvelope } from '../../../nodes/lib/odoo/answer';
import { explainError, readUpdate } from '../../../nodes/lib/odoo/addon/answer';

const answer = (body: unknown, status = 200): Answer => ({
  kind: 'answer',
  status,
  body: typeof body === 'string' ? body : JSON.stringify({ jsonrpc: '2.0', id: 1, ...(body as object) }),
});
const read = (body: object): ReturnType<typeof readEnvelope> => readEnvelope(answer(body));
const exception = (name: string, message: string): string | undefined =>
  readEnvelope(answer({ error: { code: 200, message: 'Odoo Server Error', data: { name, message } } })).concluded
    ?.conclusion;

test('a reason holds no control characters, whatever came: PostgreSQL keeps no NUL and no half of a cut one, and a log line is one line', () => {
  const error = {
    code: 200,
    message: 'Odoo Server Error',
    data: { name: 'x', message: 'a\u0000b\r\tc\u001b[31m\ud83d' },
  };
  const read = readEnvelope(answer({ error }));
  assert.match(read.concluded?.reason ?? '', /a b c \[31m $/);
});

/** What a server says that is full, locked, on standby or out of memory: in the addon's own envelope, and as an exception. */
const TROUBLE: [words: string, exception: string][] = [
  ['could not obtain lock on row in relation "stock_quant"', 'psycopg2.errors.LockNotAvailable'],
  ['[Errno 28] No space left on device', 'builtins.OSError'],
  ['could not extend file "base/16384/2619": No space left on device', 'psycopg2.errors.DiskFull'],
  ['cannot execute UPDATE in a read-only transaction', 'psycopg2.errors.ReadOnlySqlTransaction'],
  ['connection to server at "db" (10.0.0.5), port 5432 failed: Connection refused', 'psycopg2.OperationalError'],
  ['connection to server at "db" (db.internal), port 5432 failed', 'psycopg2.OperationalError'],
  ['[Errno 111] Connection refused', 'builtins.ConnectionRefusedError'],
  ['timed out', 'builtins.TimeoutError'],
  ['timed out', 'socket.timeout'],
  ['', 'builtins.MemoryError'],
  ['out of memory', 'psycopg2.errors.OutOfMemory'],
  ['FATAL: sorry, too many clients already', 'psycopg2.OperationalError'],
  ['deadlock detected', 'psycopg2.extensions.TransactionRollbackError'],
  // Nobody has ever seen these.
  ['Something else went wrong', 'requests.exceptions.ReadTimeout'],
  ['Etwas anderes ging schief', 'builtins.KeyError'],
  ['Kapasitas tidak cukup', 'odoo.addons.queue.exceptions.Later'],
];
for (const [words, name] of TROUBLE) {
  test(`passing trouble sets nothing aside, neither as words nor as an exception: ${name} "${words}"`, () => {
    assert.equal(CONCLUSIONS[exception(name, words) as 'busy'].consequence, 'retry');
    assert.equal(CONCLUSIONS[explainError(words).conclusion].consequence, 'retry');
    assert.equal(CONCLUSIONS[explainError(`Error: ${words}`).conclusion].consequence, 'retry');
    const errors = [`silo101: ${words}`];
    const told = readUpdate(read({ result: { status: 'success', errors, consumed_items: [] } }), { silo101: 5 });
    // An error about a silo is a refusal, unless its words are a machine's.
    if (explainError(words).conclusion === 'busy') assert.equal(told.conclusion, 'busy');
    else assert.equal(told.conclusion, 'partial');
  });
}

test('what Odoo says to a person is a refusal by the name of its exception, whatever the language', () => {
  assert.equal(exception('odoo.exceptions.UserError', 'Menge zu groß'), 'bad-value');
  assert.equal(exception('odoo.exceptions.ValidationError', 'Nilai tidak valid'), 'bad-value');
  assert.equal(exception('odoo.exceptions.MissingError', 'Datensatz fehlt'), 'bad-value');
  assert.equal(exception('odoo.exceptions.AccessError', 'Nicht erlaubt'), 'not-permitted');
  assert.equal(exception('odoo.exceptions.AccessDenied', 'Verweigert'), 'credentials');
});

test("the addon's own sentences are known; a text that only resembles one, or that Odoo translates, is not", () => {
  const known: [string, string][] = [
    ['MO not found: WH/MO/99999', 'unknown-order'],
    ['Manufacturing Order "WH/MO/99999" not found', 'unknown-order'],
    ['Validation failed: Manufacturing Order "WH/MO/99999" not found', 'unknown-order'],
    ['Validation failed: Equipment "silo101" not found', 'bad-value'],
    ['Cannot update MO "WH/MO/00022" in state "done"', 'order-done'],
    ['Cannot update MO "WH/MO/00037" in state "cancel"', 'order-cancelled'],
    ['No finished product move found for this MO', 'not-done'],
    ['mo_id is required', 'bad-value'],
    ['finished_qty must be > 0', 'bad-value'],
    ['The quantity to produce must be positive!', 'unexplained'],
    ['You need to supply a Lot/Serial Number for product:\nPollard', 'unexplained'],
    ['Record for MO/queue not found in cache', 'unexplained'],
  ];
  for (const [words, conclusion] of known) assert.equal(explainError(words).conclusion, conclusion, words);
});

test('a web page is never an answer of Odoo, whatever its status code', () => {
  const page = '<!DOCTYPE html><html><head><title>Welcome</title></head></html>';
  for (const status of [200, 201, 401, 403, 404, 429, 500, 502, 503]) {
    assert.equal(readEnvelope(answer(page, status)).concluded?.conclusion, 'unavailable', `${status}`);
    assert.equal(readEnvelope(answer(`\ufeff\n ${page}`, status)).concluded?.conclusion, 'unavailable', `${status}`);
  }
});

test('a reason of 5 MB, and as many errors, do not reach row, event and log', () => {
  const long = 'x'.repeat(5_000_000);
  const reasons = [
    readEnvelope(answer({ error: { code: 200, message: long, data: { name: 'y', message: long } } })).concluded?.reason,
    explainError(long).reason,
    explainError(`Cannot update MO "${long}" in state "done"`).reason,
    readUpdate(read({ result: { status: 'success', errors: [long, long] } }), { silo101: 1 }).reason,
    readUpdate(read({ result: { status: 'success', errors: Array(100_000).fill('silo999: x') } }), {}).reason,
    readEnvelope({ kind: 'none', sent: true, problem: long }).concluded?.reason,
    readEnvelope({ kind: 'answer', status: 302, body: '', location: `https://a.example/${long}` }).concluded?.reason,
  ];
  for (const reason of reasons) assert.ok(reason && reason.length <= 2_000, `${reason?.length}`);
});

test('a refusal keeps all of its lines: the product stands on the second', () => {
  const said = 'You need to supply a Lot/Serial Number for product: \n - Pollard';
  assert.match(explainError(said).reason, /for product: - Pollard$/);
});
