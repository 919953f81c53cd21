/**
 * The recorded exchanges of a real Odoo 14 with the SCADA addon, replayed against the simulated one. Both answers are
 * compared whole: status, headers that matter, body (all keys and values) and the order as it stands afterwards.
 * Only what differs from run to run is normalised: ids of sessions and records, times, tracebacks.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startSimulatedOdoo } from '../../../examples/plant/odoo/simulated-odoo';
import type { Policy, SimulatedOdoo } from '../../../examples/plant/odoo/simulated-odoo';
import { login, send } from './odoo-client';
import type { Answer } from './odoo-client';

interface Recorded {
  status: number | null;
  headers: [string, string][];
  body: unknown;
}
interface Exchange {
  name: string;
  request: { method: string; path: string; headers: Record<string, string>; body: string | null };
  response: Recorded;
  stateAfter?: Record<string, unknown>;
}

const EXCHANGES = JSON.parse(
  readFileSync(join(process.cwd(), 'test/fixtures/odoo-exchanges.json'), 'utf8'),
) as Exchange[];

/** Recorded, and not replayed: routes that the package never calls and the simulator does not serve. */
const NOT_REPLAYED: Record<string, string> = {
  '071-mo-list-get-equipment': 'GET mo-list: not called',
  '072-equipment-get': 'equipment: not called',
  '192-markdone-by-id-route-jsonrpc': 'mo/<id>/mark-done: not called; the date format is proven by a test of mark-done',
  '232-mo-weight-ok': 'mo-weight: not called',
  '233-mo-acknowledge': 'mo/<id>/acknowledge: not called',
  '234-mo-update-status': 'mo/<id>/update-status: not called',
  '235-mo-update-status-t-format': 'mo/<id>/update-status: not called',
  '413-extra-mo-weight-space-timestamp': 'mo-weight: not called',
};

/** Orders that were not plain ones (2500 kg, policy warning); a policy that `stateAfter` tells is not repeated here. */
const POLICIES: Record<number, Policy> = { 71: 'flexible', 73: 'strict' };
const QUANTITIES: Record<number, number> = { 16: 5000 };
const RESERVED = new Set([17]);
/** Orders that existed when the first list was read; the others came into being as the recording went on. */
const FIRST_ORDERS = 8;

const OVER_PLAN =
  '"silo101":833.25,"silo102":378.75,"silo103":242.65,"silo104":50.5,"silo105":303,"silo106":161.35,"silo107":101,"silo108":76.25,"silo109":125.75,"silo110":90.9,"silo111":10.35,"silo112":25,"silo113":126.25';
const AT_PLAN =
  '"silo101":825,"silo102":375,"silo103":240.25,"silo104":50,"silo105":300,"silo106":159.75,"silo107":100,"silo108":75.5,"silo109":124.5,"silo110":90,"silo111":10.25,"silo112":24.75,"silo113":125';

/** Calls that went before an exchange and are not in the recording; what they were is seen from the state after it. */
const BEFORE: Record<string, string[]> = {
  '112-update-huge': ['{"mo_id":"WH/MO/00011","silo101":241}'],
  '194-markdone-date-space-format': [`{"mo_id":"WH/MO/00033",${OVER_PLAN},"quantity":2500}`],
  '226-matcons-add-over-plan': ['{"mo_id":"WH/MO/00039","silo101":34}'],
  '407-extra-markdone-user-with-email': [`{"mo_id":"WH/MO/00095",${AT_PLAN},"quantity":2500}`],
};
/** Failed logins that went before. */
const FAILURES_BEFORE: Record<string, number> = {
  '402-auth-wrong-password-attempt-5-plus': 4,
  '404-auth-wrong-password-attempt-10-plus': 5,
};
const USERS: Record<string, string> = {
  '048-version-with-session-admin': 'admin',
  '073-mo-list-detailed-as-scada_op': 'scada_op',
  '074-mo-list-detailed-as-scada_op_only': 'scada_op_only',
  '075-mo-list-detailed-as-plainuser': 'plainuser',
};
/** Recorded first move of an order that a standard RPC call writes to: the ids differ, as the fillers were not split. */
const RECORDED_MOVES: [order: number, firstMove: number][] = [
  [68, 1032],
  [70, 1060],
  [71, 1087],
  [72, 1102],
  [73, 1130],
  [95, 1451],
];

const numberOf = (text: string): number | undefined => {
  const match = /WH\/MO\/(\d{5})/.exec(text) ?? /"(?:mrp\.production)", "\w+", \[\[(\d+)\]/.exec(text);
  const number = Number(match?.[1] ?? NaN);
  return number < 99999 ? number : undefined;
};

function policyOf(number: number): Policy {
  const told = EXCHANGES.find((exchange) => exchange.stateAfter && numberOf(exchange.request.body ?? '') === number);
  return POLICIES[number] ?? (told?.stateAfter?.consumption as Policy | undefined) ?? 'warning';
}

/** Creates every order up to a number, as the recorded server had them by then. */
function createUpTo(odoo: SimulatedOdoo, last: number): void {
  for (let number = odoo.orders().length + 1; number <= last; number++) {
    const reserved = RESERVED.has(number);
    odoo.createOrder({ quantity: QUANTITIES[number] ?? 2500, policy: policyOf(number), reserved });
  }
}

/** Replaces the recorded move ids in a request by the simulator's. */
function withOwnMoves(odoo: SimulatedOdoo, body: string): string {
  return body.replace(/\b1\d{3}\b(?=[\],])/g, (text) => {
    const owner = RECORDED_MOVES.findLast(([, first]) => Number(text) >= first && Number(text) < first + 13);
    if (!owner) return text;
    const move = odoo.order(`WH/MO/${String(owner[0]).padStart(5, '0')}`).moves[Number(text) - owner[1]];
    assert.ok(move, `move ${text} of order ${owner[0]}`);
    return String(move.id);
  });
}

const VOLATILE: Record<string, string> = {
  debug: '<traceback>',
  search_view: '<the arch of a form>',
  connection_status: '<changes with other routes>',
  reservation_state: '<changes with the stock>',
  'web.base.url': '<url>',
};
const TIME = /\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?/g;

/** Numbers sessions in the order of their appearance and blanks what changes from run to run. */
function normaliser(): (value: unknown, key?: string) => unknown {
  const sids: string[] = [];
  const text = (value: string) =>
    value
      .replace(TIME, '<time>')
      .replace(/http:\/\/[\d.]+:\d+/g, '<url>')
      .replace(/&lt;function .*?&gt;, /g, '')
      .replace(/\b[0-9a-f]{64}\b/g, '<hash>')
      .replace(/<session(#\d+)?>|\b[0-9a-f]{40}\b/g, (sid) => {
        if (!sids.includes(sid)) sids.push(sid);
        return `<session ${sids.indexOf(sid) + 1}>`;
      });
  const normal = (value: unknown, key = ''): unknown => {
    if (key in VOLATILE) return VOLATILE[key];
    if (typeof value === 'string') return text(value);
    if (key === 'move_ids' || key === 'move_raw_ids') return `${(value as unknown[]).length} moves`;
    if (typeof value === 'number') return key === 'id' && value >= 14 ? '<id>' : Number(value.toPrecision(12));
    if (Array.isArray(value)) return value.map((item) => normal(item));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, normal(item, name)]));
  };
  return normal;
}

/** What is compared of an answer. `cookie` is the one that the request carried. */
function essence({ status, headers, body }: Recorded | Answer, cookie: string | undefined): unknown {
  const normal = normaliser();
  const header = (name: string) => headers.find(([key]) => key.toLowerCase() === name)?.[1] ?? null;
  const setCookie = header('set-cookie')?.replace(/Expires=[^;]+/, 'Expires=<time>') ?? null;
  normal(cookie ?? '');
  return {
    status,
    contentType: header('content-type'),
    allow: header('allow'),
    location: normal(header('location')),
    setCookie: normal(setCookie),
    // Of a page its title and text count; Odoo's own 404 page is a whole web site.
    body: typeof body === 'string' && body.includes('<title>Odoo</title>') ? 'page Odoo' : normal(body),
  };
}

function checkState(odoo: SimulatedOdoo, exchange: Exchange): void {
  const number = numberOf(exchange.request.body ?? '');
  const expected = exchange.stateAfter;
  if (number === undefined || !expected) return;
  const order = odoo.order(`WH/MO/${String(number).padStart(5, '0')}`);
  const done: Record<string, number> = {};
  for (const move of order.moves) {
    const silo = String(move.equipment);
    done[silo] = Number(((done[silo] ?? 0) + move.done).toPrecision(12));
  }
  const actual = {
    state: order.state,
    product_qty: order.quantity,
    qty_producing: order.producing,
    qty_produced: order.finished,
    consumption: order.policy,
    date_finished: order.dateFinished,
    raw_done: done,
    raw_moves: order.moves.length,
    raw_states: [...new Set(order.moves.map((move) => move.state))].sort(),
    fin: [[order.finishedMove.done, order.finishedMove.plan, order.finishedMove.state]],
  };
  const normal = normaliser();
  assert.deepEqual(normal(actual), normal(expected), 'state of the order afterwards');
}

test('the simulated Odoo answers every recorded exchange as the real one did', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'odoo-replay-'));
  let clock = Date.parse('2026-11-21T18:07:36Z');
  const now = () => new Date(clock);
  const odoo = await startSimulatedOdoo({ now, stateFile: join(directory, 'odoo.jsonl') });
  const several = await startSimulatedOdoo({ now, multiDatabase: true });
  t.after(async () => {
    await Promise.all([odoo.stop(), several.stop()]);
    await rm(directory, { recursive: true });
  });
  createUpTo(several, FIRST_ORDERS);
  createUpTo(odoo, FIRST_ORDERS);

  let sid = await login(odoo.url);
  let dead = '';
  /** The session that a replayed request carries in the place of `<session>`. */
  const sessionFor = async (name: string): Promise<string> => {
    const user = USERS[name];
    if (user) return login(odoo.url, user);
    if (name === '033-protected-bogus-session') return randomBytes(20).toString('hex');
    if (name === '316-protected-after-destroy') return dead;
    if (name === '320-multidb-list-with-that-session') return login(several.url, 'scada', '/web/session/authenticate');
    if (name === '029-auth-relogin-with-session') sid = await login(odoo.url);
    const alive = await send(odoo.url, '/web/session/get_session_info', '{}', `session_id=${sid}`);
    if (JSON.stringify(alive.body).includes('"error"')) sid = await login(odoo.url);
    return sid;
  };

  for (const exchange of EXCHANGES.filter(({ name }) => !(name in NOT_REPLAYED))) {
    const { name, request, response } = exchange;
    await t.test(name, async () => {
      clock += name.startsWith('407') ? 61_000 : 0; // past the cooldown that exchange 406 shows
      const target = name.includes('-multidb-') ? several : odoo;
      createUpTo(target, numberOf(request.body ?? '') ?? 0);
      for (const body of BEFORE[name] ?? []) {
        const route = '/api/scada/mo/update-with-consumptions';
        await send(odoo.url, route, body, `session_id=${await sessionFor('')}`);
      }
      for (let failure = 0; failure < (FAILURES_BEFORE[name] ?? 0); failure++) {
        await send(odoo.url, '/api/scada/authenticate', '{"db":"odoo14","login":"scada","password":"bad"}');
      }
      const recordedCookie = request.headers.Cookie;
      const own = recordedCookie?.includes('<session>') ? await sessionFor(name) : '';
      const cookie = recordedCookie?.replace('<session>', own);
      const body = request.body === null ? null : withOwnMoves(target, request.body);
      const ask = () =>
        send(target.url, request.path, body, cookie, { method: request.method, headers: request.headers });

      if (name === '328-odoo-down') {
        await odoo.stop();
        await assert.rejects(ask(), { code: 'ECONNREFUSED' });
        return odoo.start();
      }
      if (name === '249-client-timeout-still-committed') {
        // To the client an abort and a cut connection are one: no answer. The server has committed all the same.
        odoo.setFault({ kind: 'cutAfter' });
        await assert.rejects(ask());
        assert.equal(odoo.done('WH/MO/00067').silo101, 825);
        return;
      }
      if (name.includes('-pg-down-')) odoo.setFault({ kind: 'databaseDown' });
      const answer = await ask();
      assert.deepEqual(essence(answer, cookie), essence(response, recordedCookie));
      checkState(target, exchange);
      if (name === '315-web-session-destroy') dead = own;
    });
  }
});

test('every recorded exchange is replayed or listed with the reason why not', () => {
  const names = EXCHANGES.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  assert.deepEqual(
    Object.keys(NOT_REPLAYED).filter((name) => !names.includes(name)),
    [],
  );
  const replayed = names.filter((name) => !(name in NOT_REPLAYED));
  assert.equal(replayed.length + Object.keys(NOT_REPLAYED).length, names.length);
  for (const table of [BEFORE, FAILURES_BEFORE, USERS]) {
    for (const name of Object.keys(table)) assert.ok(replayed.includes(name), `${name} is replayed`);
  }
});
