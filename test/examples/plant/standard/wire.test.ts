/** Logins, keys, lists and errors as they were recorded of six standard Odoos: the simulated one answers the same. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startStandardOdoo, VERSIONS } from '../../../../examples/plant/odoo/standard/standard-odoo';
import type { StandardOdoo, Version } from '../../../../examples/plant/odoo/standard/standard-odoo';
import { saying, standardExchanges, type StandardExchange } from '../../../support/standard-exchanges';
import { send, type Answer } from '../odoo-client';
import { rpc, standard, told, TWO_SILOS } from './standard-client';

const READS =
  /^\d+-(version|login-.*|execute-.*|malformed-json|web-authenticate-.*|call-kw-(ok|no-cookie)|apikey-(login|execute|web-authenticate)|2fa-.*|list-(open|confirmed-only|by-operation-type-code|by-work-center|by-custom-field)|custom-field-unknown|moves-of-order|product-keys|uom|move-lines|lines-of-order|unknown-name|plain-user-list|read-back-.*|done-read-back|sequence-(read-back|order-after|moves-after)|many-databases-error|database-down-execute|db-list-off|json2-(search-read|bad-key|no-key|unknown-.*|value-error|many-db-header-missing|single-db-header-missing))$/;

/** Several databases, as the recorded server had when these were recorded. */
const isSeveral = (name: string, version: Version): boolean =>
  /many-databases|many-db/.test(name) || (/call-kw-no-cookie/.test(name) && version > 14);

/** Who called, by the recorded user's name or id. */
const LOGINS: Record<string, string> = { plainuser: 'plain' };

interface Ground {
  odoo: StandardOdoo;
  version: Version;
  order: number;
}

async function ground(version: Version, severalDatabases: boolean): Promise<Ground> {
  const odoo = await startStandardOdoo({ version, severalDatabases });
  const orders = [
    { ...TWO_SILOS, reserved: true, workCenter: 'PLC01', custom: { x_line: 'PLC01' } },
    { ...TWO_SILOS, reserved: true, line: 'PLC02', custom: { x_line: 'PLC02' } },
  ].map((order) => odoo.createOrder(order).id);
  return { odoo, version, order: orders[0] as number };
}

/** The recorded request with the simulation's database, users, keys and ids. */
function translated(
  { odoo, version, order }: Ground,
  exchange: StandardExchange,
): { path: string; body: string; headers: Record<string, string> } {
  const { path, headers, body } = exchange.request;
  const plain = /plain-user/.test(exchange.name);
  const totp = /"totp"|2fa|apikey/.test(exchange.name + body);
  const [uid, who] = plain ? [9, 'plain'] : totp ? [11, 'totp'] : [6, 'bridge'];
  const units: Record<number, number> = version === 19 ? {} : { 12: 3, 14: 7, 13: 4 };
  const ids = (value: unknown): unknown => {
    if (!Array.isArray(value)) return value;
    const [field, operator] = value as [unknown, unknown];
    if (typeof field === 'string' && /production_id$|^id$/.test(field)) {
      const wanted = /uom$/.test(exchange.name)
        ? (value[2] as number[]).map((id) => units[id] ?? id)
        : operator === 'in'
          ? [order]
          : order;
      return [field, operator, wanted];
    }
    return (value as unknown[]).map(ids);
  };
  const text = body.replaceAll('<password>', who).replaceAll('<api key>', `${who}-key`);
  const sent: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers))
    sent[name] = value.replace('<api key>', 'bridge-key').replace(/^odoo\d+$/, odoo.database);
  if (/malformed/.test(exchange.name)) return { path, body: text, headers: sent };
  const parsed = JSON.parse(text) as {
    params?: { service?: string; args?: unknown[]; login?: string };
    ids?: number[];
    domain?: unknown;
  };
  const { params } = parsed;
  if (params?.service === 'object' && params.args) {
    if (params.args[1] !== 1) params.args[1] = uid;
    const [first] = params.args[5] as unknown[];
    const reads = params.args[4] === 'read' && params.args[3] === 'mrp.production';
    params.args[5] = reads
      ? [[order]]
      : [ids(first), ...(params.args[5] as unknown[]).slice(1)].filter((item) => item !== undefined);
  }
  if (parsed.domain) parsed.domain = ids(parsed.domain);
  if (params?.login) params.login = LOGINS[params.login] ?? params.login;
  return { path, body: JSON.stringify(parsed.ids ? { ...parsed, ids: [order] } : parsed), headers: sent };
}

async function answered(place: Ground, exchange: StandardExchange): Promise<Answer> {
  const { odoo } = place;
  if (/database-down/.test(exchange.name)) odoo.setFault({ kind: 'databaseDown' });
  const { path, body, headers } = translated(place, exchange);
  const cookie = headers.Cookie === undefined ? undefined : await session(odoo);
  delete headers.Cookie;
  return send(odoo.url, path, body, cookie, { headers });
}

async function session(odoo: StandardOdoo): Promise<string> {
  const params = { db: odoo.database, login: 'bridge', password: 'bridge' };
  const { headers } = await send(
    odoo.url,
    '/web/session/authenticate',
    JSON.stringify({ jsonrpc: '2.0', id: 1, params }),
  );
  return /session_id=[^;]+/.exec(headers.find(([name]) => name === 'set-cookie')?.[1] ?? '')?.[0] ?? '';
}

/** Which record a list shows does not depend on what else the recorded database held. */
const comparable = (text: string): string => text.replace(/\{.*x_line.*\}/, '{x_line}');

for (const version of VERSIONS)
  test(`what was recorded of logins, lists and errors of Odoo ${version}`, async (t) => {
    for (const several of [false, true]) {
      const place = await ground(version, several);
      t.after(() => place.odoo.stop());
      for (const exchange of standardExchanges(version)) {
        if (!READS.test(exchange.name) || isSeveral(exchange.name, version) !== several) continue;
        const { status, body } = await answered(place, exchange);
        const { response } = exchange;
        assert.equal(
          comparable(saying(status, body)),
          comparable(saying(response.status, response.body)),
          exchange.name,
        );
      }
    }
  });

for (const version of VERSIONS)
  test(`${version}: too many failures`, async (t) => {
    let now = Date.UTC(2026, 0, 5);
    const odoo = await standard(t, version, { now: () => new Date(now) });
    const login = async (password: string): Promise<unknown> =>
      told(await rpc(odoo.url, 'common', 'login', [odoo.database, 'bridge', password])).result;
    const web = async (): Promise<string | undefined> => {
      const params = { db: odoo.database, login: 'bridge', password: 'bridge' };
      return told(await send(odoo.url, '/web/session/authenticate', JSON.stringify({ jsonrpc: '2.0', id: 1, params })))
        .error;
    };
    for (let n = 0; n < 10; n += 1) assert.equal(await login('wrong'), false);
    assert.equal(await web(), version >= 18 ? 'builtins.ValueError' : 'odoo.exceptions.AccessDenied');
    if (version < 16) assert.equal(await login('bridge'), false);
    now += 60_001;
    assert.equal(await web(), undefined);
    assert.equal(await login('bridge'), 6);
  });

test('an expired key opens no login, but execute_kw where it was used before, until a restart; /json/2 at once nothing', async (t) => {
  let now = Date.UTC(2026, 0, 5);
  const users = [
    {
      uid: 6,
      login: 'bridge',
      password: 'bridge',
      role: 'manufacturing' as const,
      keys: [{ name: 'k', key: 'k', expires: '2026-01-06 00:00:00' }],
    },
  ];
  const odoo = await standard(t, 19, { users, now: () => new Date(now) });
  const login = async (): Promise<unknown> =>
    told(await rpc(odoo.url, 'common', 'login', [odoo.database, 'bridge', 'k'])).result;
  const count = async () =>
    told(await rpc(odoo.url, 'object', 'execute_kw', [odoo.database, 6, 'k', 'mrp.production', 'search_count', [[]]]));
  const bearer = async (): Promise<number> =>
    (
      await send(odoo.url, '/json/2/mrp.production/search_count', '{"domain":[]}', undefined, {
        headers: { 'Content-Type': 'application/json', Authorization: 'bearer k' },
      })
    ).status;
  assert.deepEqual([await login(), (await count()).result, await bearer()], [6, 0, 200]);
  now = Date.UTC(2026, 0, 7);
  assert.deepEqual([await login(), (await count()).result, await bearer()], [false, 0, 401]);
  odoo.forgetKeys();
  assert.equal((await count()).error, 'odoo.exceptions.AccessDenied');
});
