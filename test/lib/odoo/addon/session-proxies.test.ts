/** What stands between this package and Odoo: redirects, load balancers, compression, proxies; and a clock that is set. */
import assert from 'node:assert/strict';
import { getEventListeners, once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import https from 'node:https';
import { connect, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { OdooClient } from '../../../../nodes/lib/odoo/addon/client';
import { OdooError } from '../../../../nodes/lib/domain/odoo-orders';
import type { OdooAddress } from '../../../../nodes/lib/odoo/addon/session';
import { LOGIN } from '../../../support/push-plant';

const LIST = '/api/scada/mo-list-detailed';
const UPDATE = '/api/scada/mo/update-with-consumptions';
const pem = (name: string): string => readFileSync(join(process.cwd(), 'test/fixtures', name), 'utf8');
const TLS = { ca: pem('tls-test-cert.pem') };

interface Seen {
  method: string;
  url: string;
  cookie: string;
  body: string;
}

async function serve(t: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** Answers logins, lists and updates; `before` may answer instead. */
function odoo(seen: Seen[], before: (seen: Seen, res: ServerResponse) => boolean = () => false): RequestListener {
  const answer = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const { method = '', url = '', headers } = req;
    const now = { method, url, cookie: headers.cookie ?? '', body: await text(req) };
    seen.push(now);
    if (before(now, res)) return;
    const result =
      url === UPDATE
        ? { status: 'success', consumed_items: [{ equipment_code: 'silo101', applied_qty: 5 }] }
        : { status: 'success', data: [] };
    res.appendHeader('Set-Cookie', 'session_id=abc; Path=/; HttpOnly');
    res.setHeader('Content-Type', 'application/json').end(JSON.stringify({ jsonrpc: '2.0', id: null, result }));
  };
  return (req, res) => void answer(req, res).catch((error: Error) => res.destroy(error));
}

const secure = (listener: RequestListener): Server =>
  https.createServer({ key: pem('tls-test-key.pem'), cert: pem('tls-test-cert.pem') }, listener);

function open(t: TestContext, url: string, more: Partial<OdooAddress> = {}, now?: () => number): OdooClient {
  const account = { database: 'odoo14', user: 'scada', password: 'top-secret' };
  const client = new OdooClient({ url, ...account, timeoutMs: 5_000, ...more }, now);
  t.after(() => client.close());
  return client;
}

const redirecting =
  (to: (url: string) => string, status: number, seen: Seen[] = []): RequestListener =>
  ({ method = '', url = '', headers }, res) => {
    seen.push({ method, url, cookie: headers.cookie ?? '', body: '' });
    res.writeHead(status, { Location: to(url), 'Content-Type': 'text/html' }).end('<html>Moved</html>');
  };

for (const status of [301, 302, 307, 308]) {
  test(`http leads to https on the same host (${status}): followed, POST stays POST, and kept for later calls`, async (t) => {
    const [plain, seen]: [Seen[], Seen[]] = [[], []];
    const port = await serve(t, secure(odoo(seen)));
    const from = await serve(t, createServer(redirecting((url) => `https://localhost:${port}${url}`, status, plain)));
    const client = open(t, `http://localhost:${from}`, { tls: TLS });
    assert.equal((await client.update('WH/MO/00001', { silo101: 5 })).conclusion, 'confirmed');
    assert.deepEqual(await client.confirmedOrders(), []);
    assert.deepEqual(
      seen.map(({ method, url }) => [method, url]),
      [LOGIN, UPDATE, LIST].map((url) => ['POST', url]),
    );
    assert.match(seen[1]?.body ?? '', /"silo101":5/);
    assert.equal(seen[1]?.cookie, 'session_id=abc');
    assert.equal(plain.length, 1, 'the address it led to is kept');
    assert.equal(client.session.url, `https://localhost:${port}`);
  });
}

test('a server that sends all of http to its login page on https says no more than "https"; a prefix stays', async (t) => {
  const seen: Seen[] = [];
  const port = await serve(t, secure(odoo(seen)));
  const from = await serve(t, createServer(redirecting(() => `https://localhost:${port}/web/login`, 302)));
  await open(t, `http://localhost:${from}`, { tls: TLS }).confirmedOrders();
  assert.deepEqual(
    seen.map(({ url }) => url),
    [LOGIN, LIST],
  );
  await open(t, `http://localhost:${from}/erp/`, { tls: TLS })
    .confirmedOrders()
    .catch((error: Error) => assert.ok(error instanceof OdooError));
  assert.equal(seen[2]?.url, `/erp${LOGIN}`);
});

test('another host, another port, or back from https to http is told and never followed', async (t) => {
  const seen: Seen[] = [];
  const port = await serve(t, createServer(odoo(seen)));
  const cases: [location: (url: string) => string, named: RegExp][] = [
    [(url) => `http://localhost:${port}${url}?token=s3cret`, /redirects to http:\/\/localhost:\d+\/api/],
    [(url) => `http://127.0.0.1:${port}${url}`, /redirects to http:\/\/127.0.0.1/],
    [(url) => `https://evil.example${url}`, /redirects to https:\/\/evil\.example/],
    [(url) => `//evil.example${url}`, /redirects to http:\/\/evil\.example/],
    [() => '/somewhere/else', /redirects to .*somewhere.*odoo-server/],
  ];
  const fails = async (client: OdooClient, named: RegExp): Promise<void> => {
    const { conclusion, reason } = await client.update('WH/MO/00001', { silo101: 5 });
    assert.equal(conclusion, 'unavailable');
    assert.match(reason, named);
    assert.doesNotMatch(reason, /s3cret|top-secret/);
  };
  for (const [to, named] of cases) {
    const from = await serve(t, createServer(redirecting(to, 307)));
    await fails(open(t, `http://127.0.0.1:${from}`), named);
  }
  const down = await serve(t, secure(redirecting((url) => `http://localhost:${port}${url}`, 302)));
  await fails(open(t, `https://localhost:${down}`, { tls: TLS }), /redirects to http:\/\/localhost/);
  assert.deepEqual(seen, []);
});

test('a redirect in a circle ends', async (t) => {
  const seen: Seen[] = [];
  const port = await serve(t, createServer(redirecting((url) => url, 307, seen)));
  const { conclusion } = await open(t, `http://127.0.0.1:${port}`).update('WH/MO/00001', { silo101: 5 });
  assert.equal(conclusion, 'unavailable');
  assert.ok(seen.length <= 4, `${seen.length} requests`);
});

test('a redirect to the login page is an ended session: one fresh login, one repeat', async (t) => {
  const seen: Seen[] = [];
  let ended = true;
  const expired = ({ url }: Seen, res: ServerResponse): boolean => {
    if (url !== LIST || !ended) return false;
    ended = false;
    // As a proxy that does not tell Odoo its own name lets it say (exchange 036).
    res.writeHead(302, { Location: 'http://10.0.0.9:8069/web/login?redirect=x' }).end();
    return true;
  };
  const port = await serve(t, createServer(odoo(seen, expired)));
  assert.deepEqual(await open(t, `http://127.0.0.1:${port}`).confirmedOrders(), []);
  assert.deepEqual(
    seen.map(({ url }) => url),
    [LOGIN, LIST, LOGIN, LIST],
  );
});

test("a balancer's cookies are given back, also at the login; the old session is not, and a later one changes nothing", async (t) => {
  const seen: Seen[] = [];
  let calls = 0;
  const sticky = (_now: Seen, res: ServerResponse): boolean => {
    calls += 1;
    res.setHeader('Set-Cookie', [`AWSALB=n${calls}; Path=/`, 'SERVERID=s1; path=/', 'shop=1; path=/shop']);
    if (calls !== 2) return false;
    // Odoo hands out a session with every error, too; that one is nobody's (exchange 332).
    res.appendHeader('Set-Cookie', 'session_id=nobody; Path=/');
    res
      .writeHead(404, { 'Content-Type': 'application/json' })
      .end(JSON.stringify({ error: { code: 404, message: '' } }));
    return true;
  };
  const port = await serve(t, createServer(odoo(seen, sticky)));
  await open(t, `http://127.0.0.1:${port}`).confirmedOrders();
  assert.deepEqual(
    seen.map(({ url, cookie }) => [url, cookie]),
    [
      [LOGIN, ''],
      [LIST, 'session_id=abc; AWSALB=n1; SERVERID=s1'],
      [LOGIN, 'AWSALB=n2; SERVERID=s1'],
      [LIST, 'session_id=abc; AWSALB=n3; SERVERID=s1'],
    ],
  );
});

test('a balancer that sends one back to the same address with its cookie is followed', async (t) => {
  const seen: Seen[] = [];
  const challenge = ({ cookie, url }: Seen, res: ServerResponse): boolean => {
    if (cookie.includes('lb=1')) return false;
    res.writeHead(307, { Location: url, 'Set-Cookie': 'lb=1; Path=/' }).end();
    return true;
  };
  const port = await serve(t, createServer(odoo(seen, challenge)));
  const client = open(t, `http://127.0.0.1:${port}`);
  assert.equal((await client.update('WH/MO/00001', { silo101: 5 })).conclusion, 'confirmed');
});

test("a proxy's page with 404 is no Odoo: nobody logs in again, and the password does not go to a second route", async (t) => {
  const seen: Seen[] = [];
  let broken = '';
  const proxy = ({ url }: Seen, res: ServerResponse): boolean => {
    if (broken && url.startsWith(broken)) res.writeHead(404).end('<html>default backend - 404</html>');
    return res.headersSent;
  };
  const port = await serve(t, createServer(odoo(seen, proxy)));
  const client = open(t, `http://127.0.0.1:${port}`);
  await client.confirmedOrders();
  broken = LIST;
  await assert.rejects(() => client.confirmedOrders(), /HTTP 404 with a web page/);
  broken = '/';
  await assert.rejects(() => open(t, `http://127.0.0.1:${port}`).confirmedOrders(), /HTTP 404 with a web page/);
  assert.deepEqual(
    seen.map(({ url }) => url),
    [LOGIN, LIST, LIST, LOGIN],
  );
});

test('a compressed answer is read, and one that unpacks to hundreds of MB is given up', async (t) => {
  const result = { status: 'success', data: [] };
  const honest = gzipSync(JSON.stringify({ jsonrpc: '2.0', id: null, result }));
  const bomb = gzipSync(Buffer.alloc(300 * 1024 * 1024, ' '));
  let body = honest;
  const packed = ({ url }: Seen, res: ServerResponse): boolean => {
    if (url === LOGIN) return false;
    res.writeHead(200, { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip' }).end(body);
    return true;
  };
  const port = await serve(t, createServer(odoo([], packed)));
  const client = open(t, `http://127.0.0.1:${port}`);
  assert.deepEqual(await client.confirmedOrders(), []);
  body = bomb;
  const before = process.memoryUsage().rss;
  await assert.rejects(
    () => client.confirmedOrders(),
    (error) => error instanceof OdooError && error.concluded.conclusion === 'unavailable',
  );
  // Whether it was taken cannot be told from an answer that was not read.
  assert.equal((await client.update('WH/MO/00001', { silo101: 5 })).conclusion, 'unknown-outcome');
  const grown = (process.memoryUsage().rss - before) / 1024 / 1024;
  assert.ok(grown < 280, `${grown.toFixed()} MB more`);
});

for (const scheme of ['http', 'https']) {
  test(`a proxy that the environment names is not used with ${scheme}: it would see the password, or not know the plant`, async (t) => {
    const proxied: string[] = [];
    const proxy = createServer((req, res) => {
      proxied.push(req.url ?? '');
      res.writeHead(403).end();
    });
    proxy.on('connect', ({ url = '' }: IncomingMessage, socket: ReturnType<typeof connect>) => {
      proxied.push(url);
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    });
    const through = `http://127.0.0.1:${await serve(t, proxy)}`;
    const names = ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy'];
    const before = { ...process.env };
    for (const name of names) process.env[name] = through;
    for (const name of ['NO_PROXY', 'no_proxy']) delete process.env[name];
    t.after(() => {
      for (const name of names) delete process.env[name];
      Object.assign(process.env, before);
    });
    const seen: Seen[] = [];
    const port = await serve(t, scheme === 'http' ? createServer(odoo(seen)) : secure(odoo(seen)));
    assert.deepEqual(await open(t, `${scheme}://localhost:${port}`, { tls: TLS }).confirmedOrders(), []);
    assert.deepEqual([seen.length, proxied], [2, []]);
  });
}

test('the pause after a refused login is not measured by a clock that people set', async (t) => {
  const seen: Seen[] = [];
  let right = false;
  const refuses = ({ url }: Seen, res: ServerResponse): boolean => {
    if (url !== LOGIN || right) return false;
    const result = { status: 'error', message: 'Access Denied' };
    res.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify({ jsonrpc: '2.0', id: 1, result }));
    return true;
  };
  const port = await serve(t, createServer(odoo(seen, refuses)));
  let elapsed = 0;
  const client = open(t, `http://127.0.0.1:${port}`, {}, () => elapsed);
  await assert.rejects(() => client.confirmedOrders(), /Access Denied$/);
  right = true;
  elapsed = 59_000;
  await assert.rejects(() => client.confirmedOrders(), /next login in 1 s/);
  elapsed = 60_000;
  assert.deepEqual(await client.confirmedOrders(), []);

  // A clock that is set back by a year, or ahead, is no part of it.
  right = false;
  const year = 365 * 24 * 3600_000;
  const now = Date.now();
  const wall = t.mock.method(Date, 'now', () => now);
  const own = open(t, `http://127.0.0.1:${port}`);
  await assert.rejects(() => own.confirmedOrders(), /Access Denied$/);
  wall.mock.mockImplementation(() => now - year);
  await assert.rejects(() => own.confirmedOrders(), /next login in (59|60) s/);
  wall.mock.mockImplementation(() => now + year);
  await assert.rejects(() => own.confirmedOrders(), /next login in (59|60) s/);
});

test('a thousand calls under one signal leave no listener, and warn of no leak', async (t) => {
  const warnings: string[] = [];
  const warned = ({ name, message }: Error): void => void warnings.push(`${name}: ${message}`);
  process.on('warning', warned);
  t.after(() => process.off('warning', warned));
  const port = await serve(t, createServer(odoo([])));
  const client = open(t, `http://127.0.0.1:${port}`);
  const { signal } = new AbortController();
  for (let round = 0; round < 20; round += 1) {
    await Promise.all(Array.from({ length: 50 }, () => client.update('WH/MO/00001', { silo101: 5 }, 0, { signal })));
  }
  assert.equal(getEventListeners(signal, 'abort').length, 0);
  // A warning comes with the next turn.
  await new Promise(setImmediate);
  assert.deepEqual(warnings, []);
});
