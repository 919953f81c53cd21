import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readEnvelope } from '../../../nodes/lib/odoo/answer';

test('a reason holds no control characters, whatever came: PostgreSQL keeps no NUL and no half of a cut one, and a log line is one line', () => {
  const error = {
    code: 200,
    message: 'Odoo Server Error',
    data: { name: 'x', message: 'a\u0000b\r\tc\u001b[31m\ud83d' },
  };
  const read = readEnvelope({ kind: 'answer', status: 200, body: JSON.stringify({ jsonrpc: '2.0', id: 1, error }) });
  assert.match(read.concluded?.reason ?? '', /a b c \[31m $/);
});
