/**
 * What the package makes of every exchange that was recorded with six standard Odoos. The table was made by reading each
 * exchange. A write is judged as a running push is: `true` is taken, its own guards see to the rest; a closing is read back.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { VERSIONS } from '../../../../examples/plant/odoo/standard/generations';
import type { Played } from '../../../support/play-exchange';
import { playRecorded } from '../../../support/play-recorded';
import { standardExchanges } from '../../../support/standard-exchanges';

/** By the exchange's name without its number; `name/14/15` means these versions, the bare name all others. */
const EXPECTED: [conclusion: Played, why: string, names: string][] = [
  ['ok', 'the version', 'version'],
  ['ok', 'logged in with password or API key', 'login-ok apikey-login db-list-off-login cooldown-jsonrpc'],
  [
    'credentials',
    'refused: password, or a password where two factors are asked for',
    'login-wrong-password 2fa-login-password',
  ],
  ['credentials', 'such a database is not there', 'login-wrong-db'],
  ['credentials', 'an expired key', 'apikey-expired-login'],
  ['credentials', 'refused for a minute after ten failures, with the right password too', 'cooldown-jsonrpc/14/15'],
  ['bad-request', 'refused as a request, before anything was looked at', 'malformed-json'],
  ['unavailable', 'nobody listens', 'server-down'],
  ['ok', 'the fields were told', 'fields-move fields-production'],
  ['ok', 'orders were listed', 'list-open list-confirmed-only list-by-operation-type list-by-operation-type-code'],
  ['ok', 'orders were listed', 'list-by-work-center list-by-custom-field json2-search-read'],
  ['ok', 'moves were read, whatever they say', 'moves-of-order read-back-13 read-back-quantity-only'],
  ['ok', 'moves were read, whatever they say', 'sequence-read-back sequence-moves-after'],
  ['ok', 'lines, products, units and keys were read', 'move-lines lines-of-order product-keys uom apikey-60-days'],
  ['ok', 'the same models over the web session', 'call-kw-ok after-restart-old-cookie'],
  ['session', 'no session', 'single-db-call-kw-no-cookie'],
  [
    'session',
    'no route without a session or a database: 404 as JSON',
    'call-kw-no-cookie/14/15 database-down-call-kw/14/15',
  ],
  ['unavailable', 'the same as a page', 'call-kw-no-cookie database-down-call-kw'],
  ['unknown-order', 'nobody has this name', 'unknown-name'],
  ['unexplained', 'a field that is not there: Odoo was changed', 'custom-field-unknown wrong-field-of-other-version'],
  ['unexplained', 'a field that is not there: Odoo was changed', 'picked-unknown json2-value-error'],
  ['unexplained', 'a text where a number is due: nothing is written', 'write-13-atomic text'],
  ['not-permitted', 'no right in Manufacturing', 'plain-user-list done-plain-user'],
  ['confirmed', 'the figures were taken', 'write-13-in-one-call write-13-again write-13-zero write-quantity-done-only'],
  ['confirmed', 'the figures were taken', 'write-quantity-only write-picked-only rounding-up units-write json2-write'],
  ['confirmed', 'the figures were taken', 'duplicate-product-write add-component lot-above-reservation row-locked-3s'],
  ['confirmed', 'taken, wherever from', 'unreserved-write above-reservation more-than-in-stock with-silo-location'],
  ['confirmed', 'taken, wherever from', 'with-other-location with-other-location-again rising-by-move'],
  ['confirmed', 'taken, by move and by line', 'lot-rising-by-move push-by-line push-by-line-risen push-by-line-zero'],
  ['confirmed', 'taken, by move and by line', 'push-by-line-up lot-push-by-line'],
  ['confirmed', 'taken, with the finished goods or their lot', 'sequence-push sequence-finish finished-lot-write'],
  ['confirmed', 'taken while a work order runs', 'work-order-write-after-start unit-guard-work-order-started'],
  ['confirmed', 'taken by another order: ids are not looked at', 'move-of-other-order'],
  ['confirmed', 'a done order takes what carries no guard', 'write-after-done qty-producing-after-done'],
  ['confirmed', 'the unit is no guard on 14', 'sequence-late-push/14'],
  ['confirmed', 'a cancelled order takes it', 'write-after-cancel/14/15 german-user-error/14/15'],
  ['confirmed', 'below 0 is taken here', 'negative/16/17 german-validation/16/17'],
  ['bad-value', 'below 0 is refused', 'negative german-validation'],
  ['bad-value', 'such a move is not there', 'unknown-move'],
  ['bad-value', 'refused, and the order is open', 'date-guard-work-order-started'],
  ['bad-value', 'refused in German; what the order is by then was not recorded', 'german-user-error'],
  ['bad-value', 'refused over /json/2; what the order is by then was not recorded', 'json2-user-error'],
  ['order-cancelled', 'refused, and the order is read back as cancelled', 'write-after-cancel'],
  ['order-done', 'refused by a guard, and the order is read back as done', 'sequence-late-push date-guard-after-done'],
  ['busy', 'rolled back for another transaction', 'serialization-failure'],
  ['confirmed', '14 waited until the other one ended', 'serialization-failure/14'],
  ['unknown-outcome', 'the client gave up, the server committed', 'client-gives-up'],
  ['confirmed', 'read back as done with what stood in it', 'done-exact-no-flags done-second-time done-strict-flags'],
  [
    'confirmed',
    'read back as done with what stood in it',
    'done-one-silo-missing done-more-than-planned sequence-done',
  ],
  ['confirmed', 'read back as done with what stood in it', 'push-by-line-done finished-lot-done json2-mark-done'],
  [
    'confirmed',
    'read back as done with what stood in it',
    'done-without-qty-producing-picked-only lot-above-reservation-done',
  ],
  ['confirmed', 'Odoo makes the lot itself', 'finished-lot-missing/19'],
  ['confirmed', 'done, and renamed for a backorder', 'done-make-backorder'],
  ['confirmed', 'no answer, and read back as done', 'done-client-gives-up'],
  ['confirmed', 'done as planned', 'done-without-qty-producing done-nothing-written'],
  ['order-done', 'true, and read back as done with nothing consumed', 'done-quantity-only'],
  ['order-cancelled', 'true or a window, and read back as cancelled', 'done-after-cancel'],
  ['not-done', 'no quantity was entered: an error', 'done-without-qty-producing/14/15/16 done-nothing-skip-immediate'],
  ['not-done', 'no quantity was entered: a window, flags or not', 'done-nothing-written/14/15/16'],
  ['not-done', 'a window, whatever its name', 'done-consumption-wizard done-backorder-wizard german-wizard'],
  ['not-done', 'the finished product wants a lot', 'finished-lot-missing'],
  ['ok', 'the lot is made', 'finished-lot-create'],
  ['not-called', 'counts', 'execute-wrong-password apikey-execute 2fa-execute-apikey after-restart-execute'],
  ['not-called', 'counts', 'database-down-execute json2-bad-key json2-no-key json2-many-db-header-missing'],
  ['not-called', 'counts', 'json2-single-db-header-missing rpc-not-server-wide-many-databases apikey-expired-execute'],
  ['not-called', 'counts', 'json2-expired-key apikey-expired-execute-after-restart'],
  ['not-called', 'what there is not', 'execute-bad-model execute-bad-method many-databases-error'],
  ['not-called', 'what there is not', 'json2-unknown-model json2-unknown-method'],
  ['not-called', 'the web session', 'web-authenticate-ok web-authenticate-wrong-password apikey-web-authenticate'],
  ['not-called', 'the web session', 'cooldown-web-right-password cooldown-web-over'],
  ['not-called', 'making keys', 'apikey-make apikey-persistent apikey-400-days'],
  ['not-called', 'the list of databases', 'db-list-off'],
  ['not-called', 'orders read by id alone', 'done-read-back sequence-order-after'],
  ['not-called', 'everything in one call, from 17 on only', 'orders-with-moves-in-one-call'],
  ['not-called', 'what a form asks', 'form-onchange-quantity-only form-onchange-manual'],
  ['not-called', 'what a form asks', 'form-onchange-picked-only form-onchange-picked-and-manual'],
  [
    'not-called',
    'what people do',
    'cancel unreserve-after-write check-availability-after-quantity-only work-order-start',
  ],
  ['not-called', 'windows', 'consumption-wizard-create consumption-wizard-confirm'],
  ['not-called', 'windows', 'backorder-wizard-create backorder-wizard-close'],
];

const table = new Map(
  EXPECTED.flatMap(([conclusion, why, names]) =>
    names.split(' ').flatMap((entry) => {
      const [name = '', ...versions] = entry.split('/');
      const keys = versions.length > 0 ? versions.map((version) => `${name}/${version}`) : [name];
      return keys.map((key) => [key, { conclusion, why }] as const);
    }),
  ),
);
const used = new Set<string>();

for (const version of VERSIONS) {
  for (const { name, play } of playRecorded(standardExchanges(version))) {
    const bare = name.replace(/^\d+-/, '');
    const key = table.has(`${bare}/${version}`) ? `${bare}/${version}` : bare;
    used.add(key);
    const expected = table.get(key);
    test(`${version}:${name}: ${expected?.conclusion} (${expected?.why})`, async () => {
      assert.equal(await play(), expected?.conclusion);
    });
  }
}

test('the table of expected conclusions names nothing else', () => {
  assert.deepEqual(
    [...table.keys()].filter((key) => !used.has(key)),
    [],
  );
});

test('the command tells the files of both contracts apart', async () => {
  const lines = async (file: string): Promise<string[]> => {
    const command = [join(__dirname, '..', '..', '..', 'conformance.js'), join('test', 'fixtures', file)];
    return (await promisify(execFile)(process.execPath, command)).stdout.split('\n');
  };
  assert.ok((await lines('odoo-exchanges.json')).some((line) => /^076-.*\tconfirmed$/.test(line)));
  assert.ok((await lines('standard-odoo/17.json')).some((line) => /^052-.*\tconfirmed$/.test(line)));
});
