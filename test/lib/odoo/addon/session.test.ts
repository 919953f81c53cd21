import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import https from 'node:https';
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import {
  startSimulatedOdoo,
  type SimulatedOdoo,
  type SimulatedOdooOptions,
} from '../../../../examples/plant/odoo/simulated-odoo';
import { OdooClient } from '../../../../nodes/lib/odoo/addon/client';
import { OdooError } from '../../../../nodes/lib/domain/odoo-orders';
import type { OdooAddress } from '../../../../nodes/lib/odoo/addon/session';
import { LOGIN } from '../../../support/push-plant';

const LIST = '/api/scada/mo-list-detailed';

function open(t: TestContext, url: string, more: Partial<OdooAddress> = {}): OdooClient {
  const client = new OdooClient({
    url,
    database: 'odoo14',
    user: 'scada',
    password: 'scada',
    timeoutMs: 5_000,
    ...more,
  });
  t.after(() => client.close());
  return client;
}

async function simulated(t: TestContext, options: SimulatedOdooOptions = {}): Promise<SimulatedOdoo> {
  const odoo = await startSimulatedOdoo(options);
  t.after(() => odoo.stop());
  odoo.createOrder({});
  return odoo;
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

/** Answers logins, and everything else with an empty list of orders. */
const answersAll: RequestListener = (req, res) => {
  req.resume();
  req.on('end', () => {
    const result = { status: 'success', data: [] };
    res.setHeader('Set-Cookie', 'session_id=abc; Path=/');
    res.setHeader('Content-Type', 'application/json').end(JSON.stringify({ jsonrpc: '2.0', id: null, result }));
  });
};

const failsAs =
  (conclusion: string, reason = /./) =>
  (error: unknown) => {
    assert.ok(error instanceof OdooError);
    assert.equal(error.concluded.conclusion, conclusion);
    assert.match(error.concluded.reason, reason);
    return true;
  };

test('calls at the same time share one login', async (t) => {
  const odoo = await simulated(t);
  const client = open(t, odoo.url);
  await Promise.all(Array.from({ length: 8 }, () => client.confirmedOrders()));
  assert.equal(odoo.calls.filter(({ route }) => route === LOGIN).length, 1);
});

test('an expired session leads to one fresh login without the old cookie, and one repeat', async (t) => {
  const odoo = await simulated(t);
  const client = open(t, odoo.url);
  await client.confirmedOrders();
  odoo.setFault({ kind: 'expireSession', route: LIST });
  assert.equal((await client.confirmedOrders()).length, 1);
  assert.deepEqual(
    odoo.calls.map(({ route, user }) => [route, user]),
    [
      [LOGIN, null],
      [LIST, 'scada'],
      [LIST, 'scada'],
      [LOGIN, null],
      [LIST, 'scada'],
    ],
  );
});

test('a session that ends twice in a row is given up, not looped', async (t) => {
  const odoo = await simulated(t);
  odoo.setFault({ kind: 'expireSession', route: LIST, count: 'always' });
  await assert.rejects(() => open(t, odoo.url).confirmedOrders(), failsAs('session'));
  assert.equal(odoo.calls.length, 4);
});

test('a server with several databases is entered by its own login', async (t) => {
  const odoo = await simulated(t, { multiDatabase: true });
  const client = open(t, odoo.url);
  assert.equal((await client.confirmedOrders()).length, 1);
  odoo.setFault({ kind: 'expireSession', route: LIST });
  assert.equal((await client.confirmedOrders()).length, 1);
});

test('the session comes back after PostgreSQL was gone under Odoo', async (t) => {
  const odoo = await simulated(t);
  const client = open(t, odoo.url);
  await client.confirmedOrders();
  odoo.setFault({ kind: 'databaseDown', count: 3 });
  await assert.rejects(() => client.confirmedOrders(), OdooError);
  odoo.clearFaults();
  assert.equal((await client.confirmedOrders()).length, 1);
});

test('the limit is the whole call, not the silence between two bytes', async (t) => {
  const server = createServer((req, res) => {
    if (req.url === LOGIN) return answersAll(req, res);
    res.writeHead(200, { 'Content-Type': 'application/json' });
    const dribble = setInterval(() => res.write(' '), 20);
    res.on('close', () => clearInterval(dribble));
  });
  const port = await serve(t, server);
  const client = open(t, `http://127.0.0.1:${port}`, { timeoutMs: 200 });
  assert.equal((await client.update('WH/MO/00001', { silo101: 1 })).conclusion, 'unknown-outcome');
  await assert.rejects(() => client.confirmedOrders(), failsAs('unavailable', /no answer within 0.2 s/));
});

test('the connection is kept where the server offers it', async (t) => {
  let connections = 0;
  const server = createServer(answersAll).on('connection', () => (connections += 1));
  const client = open(t, `http://127.0.0.1:${await serve(t, server)}`);
  for (let calls = 0; calls < 5; calls += 1) await client.confirmedOrders();
  assert.equal(connections, 1);
});

test('TLS: a certificate that is trusted by tls-config works; another sends nothing and says why', async (t) => {
  const pem = (name: string): string => readFileSync(join(process.cwd(), 'test/fixtures', name), 'utf8');
  const server = https.createServer({ key: pem('tls-test-key.pem'), cert: pem('tls-test-cert.pem') }, answersAll);
  const url = `https://localhost:${await serve(t, server)}`;
  assert.deepEqual(await open(t, url, { tls: { ca: pem('tls-test-cert.pem') } }).confirmedOrders(), []);
  const refused = await open(t, url).update('WH/MO/00001', { silo101: 1 });
  assert.equal(refused.conclusion, 'unavailable');
  assert.match(refused.reason, /SELF_SIGNED|self.signed/);
});

/**
 * A server of its own process that answers calls, one connection each, until it is stopped: from then on connecting to it
 * hangs, because nobody takes the connections and no more of them are queued.
 */
async function stoppable(t: TestContext): Promise<{ port: number; stop: () => Promise<void> }> {
  const script = `require('node:http').createServer((req, res) => {
    req.resume().on('end', () => res.writeHead(200, { 'Set-Cookie': 'session_id=abc; Path=/', 'Content-Type': 'application/json', Connection: 'close' })
      .end('{"jsonrpc":"2.0","id":null,"result":{"status":"success","data":[]}}'));
  }).listen({ port: 0, host: '127.0.0.1', backlog: 1 }, function () { console.log(this.address().port); });`;
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  const queued: Socket[] = [];
  t.after(() => {
    for (const socket of queued) socket.destroy();
    child.kill('SIGKILL');
  });
  const port = Number(String(((await once(child.stdout, 'data')) as [Buffer])[0]));
  const stop = async (): Promise<void> => {
    child.kill('SIGSTOP');
    for (let full = false; !full;) {
      const socket = connect(port, '127.0.0.1').on('error', () => undefined);
      queued.push(socket);
      full = await Promise.race([once(socket, 'connect').then(() => false), delay(500).then(() => true)]);
    }
  };
  return { port, stop };
}

test('a connection that is never made sends nothing, whatever time it took', async (t) => {
  const { port, stop } = await stoppable(t);
  const client = open(t, `http://127.0.0.1:${port}`, { timeoutMs: 300 });
  assert.deepEqual(await client.confirmedOrders(), []);
  await stop();
  const { conclusion, unsent, reason } = await client.update('WH/MO/00001', { silo101: 1 });
  assert.deepEqual([conclusion, unsent], ['unavailable', true]);
  assert.match(reason, /no answer within 0.3 s/);
});

test('a TLS handshake that never ends sends nothing', async (t) => {
  let silent = false;
  const pem = (name: string): string => readFileSync(join(process.cwd(), 'test/fixtures', name), 'utf8');
  const cert = pem('tls-test-cert.pem');
  const inner = https.createServer({ key: pem('tls-test-key.pem'), cert }, (req, res) => {
    res.setHeader('Connection', 'close');
    answersAll(req, res);
  });
  const outer = createTcpServer((socket) => void (silent || inner.emit('connection', socket)));
  outer.listen(0, '127.0.0.1');
  await once(outer, 'listening');
  const sockets: Socket[] = [];
  outer.on('connection', (socket) => sockets.push(socket));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    outer.close();
  });
  const url = `https://localhost:${(outer.address() as AddressInfo).port}`;
  const client = open(t, url, { tls: { ca: cert }, timeoutMs: 1_000 });
  assert.deepEqual(await client.confirmedOrders(), []);
  silent = true;
  const { conclusion, unsent } = await client.update('WH/MO/00001', { silo101: 1 });
  assert.deepEqual([conclusion, unsent], ['unavailable', true]);
});

test('who watches is told the problem and its end; the password is in no error', async (t) => {
  const odoo = await simulated(t);
  const told: string[] = [];
  const client = open(t, odoo.url, { password: 'top-secret', observe: (problem) => told.push(problem) });
  const error = await client.confirmedOrders().catch((caught: Error) => [caught, caught.message]);
  assert.match(told[0] ?? '', /refused the login/);
  await odoo.stop();
  const later = open(t, odoo.url, { password: 'top-secret' });
  const lost = await later.confirmedOrders().catch((caught: Error) => [caught, caught.message, caught.stack]);
  for (const shown of [error, lost]) assert.doesNotMatch(JSON.stringify(shown), /top-secret/);
});

test('a login without database, user or password is not even tried', (t) => {
  assert.throws(() => open(t, 'http://127.0.0.1:1', { password: '' }), /database, user and password/);
});
