/** Example 11 over real HTTP: the page and the CSV of orders that ran through the cycle, and of such that did not. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { type FlowNode, freePort } from '../../examples/plant/node-red-host';
import { startSimulatedOdoo, type SimulatedOdoo } from '../../examples/plant/odoo/simulated-odoo';
import { auditOf, type SiloAudit } from '../../nodes/lib/store/audit';
import { type Database, openDatabase } from '../../nodes/lib/store/connection';
import { migrate } from '../../nodes/lib/store/migrate';
import { auditInWords } from '../../nodes/mo-batch-store/audit-words';
import { testDatabase, type TestDatabase } from '../support/cluster';
import { type LiveNodeRed, startLiveNodeRed } from '../support/live-node-red';
import { PushPlant } from '../support/push-plant';
import { wordsOf } from '../support/words';
import { finishedBatch, moId, order, reading } from '../support/store';

let red: LiveNodeRed;
let server: TestDatabase;
let db: Database;
let odoo: SimulatedOdoo;
let plant: PushPlant;

/** A name as an attacker, or a spreadsheet, would like it. */
const FORMULA = '=HYPERLINK("http://evil.example","Pollard, fine")';
const SCRIPT = '<script>alert(1)</script>';

/** Order 1 went through the whole cycle, order 2 runs, order 3 was taken over, order 4 is only read. */
before(async () => {
  server = await testDatabase();
  db = openDatabase(server);
  await migrate(db);
  odoo = await startSimulatedOdoo();
  plant = new PushPlant(odoo, db, server, {});
  const { store } = plant;
  const components = [
    { code: 'silo101', product: FORMULA, quantity: 825 },
    { code: 'silo102', product: SCRIPT, quantity: 600 },
  ];
  const [first = ''] = await plant.queue({ name: moId(1), quantity: 2500, bomQty: 2500, components });
  await store.enqueue([order(2)], 1);
  await plant.read(first, { silo_a: 400 });
  await plant.push(first);
  await plant.read(first, { silo_a: 825.5, silo_b: 600.3 }, { finished: 2500, complete: true });
  await plant.push(first, { finish: true });
  assert.deepEqual(await plant.archive(), [first]);
  await store.record([reading(2, { silo_a: 12.345 }, 1)]);
  await db.none(
    `INSERT INTO mo_histories (mo_id, batch_no, status, actual_consumption_silo_c) VALUES ($1, 9, 'completed', 7)`,
    [moId(3)],
  );
  await store.record([reading(4, { silo_a: 1 }, 1)]);

  red = await startLiveNodeRed();
  await deploy(server.port);
});

async function deploy(port: number): Promise<void> {
  const flow = JSON.parse(readFileSync('examples/11-audit-trail.json', 'utf8')) as FlowNode[];
  const { host, database, user, password } = server;
  const at = { mode: 'server', host, serverPort: String(port), database };
  await red.deploy(
    flow.map((node) => (node.type === 'mo-database' ? { ...node, ...at } : node)),
    { 'ex11-db': { user, password } },
  );
}

after(async () => {
  await red?.host.stop();
  plant?.client.close();
  await odoo?.stop();
  await db?.$pool.end();
  await server?.drop();
});

const get = async (query: Record<string, string>): Promise<{ status: number; text: string; headers: Headers }> => {
  const response = await fetch(`${red.host.url}/mo-bridge/audit?${new URLSearchParams(query).toString()}`);
  return { status: response.status, text: await response.text(), headers: response.headers };
};
const auditOfOrder = async (n: number) =>
  auditInWords(wordsOf('mo-batch-store'), auditOf(await plant.store.trail(moId(n))));

const ENTITIES: Record<string, string> = {
  lt: '<',
  gt: '>',
  quot: '"',
  amp: '&',
  '#39': "'",
  '#x3D': '=',
  '#x2F': '/',
  '#x60': '`',
};
const decoded = (html: string): string => html.replace(/&([#\w]+);/g, (all, name: string) => ENTITIES[name] ?? all);
/** The cells of a table's body, tags gone, and what small print they have. */
const cells = (html: string, table: string): { text: string; small: string }[][] => {
  const body = new RegExp(`<table id="${table}">[\\s\\S]*?<tbody>([\\s\\S]*?)</tbody>`).exec(html)?.[1] ?? '';
  return [...body.matchAll(/<tr>([\s\S]*?)<\/tr>/g)].map(([, tr = '']) =>
    [...tr.matchAll(/<td[^>]*>([\s\S]*?)<\/td>/g)].map(([, td = '']) => ({
      text: decoded(td.replace(/<small>[\s\S]*?<\/small>|<[^>]+>/g, '')),
      small: decoded(/<small>([\s\S]*?)<\/small>/.exec(td)?.[1] ?? ''),
    })),
  );
};
const figure = (kg: number | null): string => (kg === null ? '' : String(kg));

/** CSV as RFC 4180 has it. */
function parseCsv(text: string): Record<string, string>[] {
  assert.ok(text.endsWith('\r\n'));
  const rows: string[][] = [[]];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    rows.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain ?? '');
    if (end === '\r\n') rows.push([]);
  }
  const [header = [], ...lines] = rows.slice(0, -1);
  for (const line of lines) assert.equal(line.length, header.length);
  return lines.map((line) => Object.fromEntries(header.map((name, n) => [name, line[n] ?? ''])));
}

/** What a cell of the CSV holds for a value: a text that begins like a formula is made one that is none. */
const asCell = (value: string | number | null): string =>
  value === null ? '' : String(value).replace(/^(?=[=+\-@])/, "'");

for (const [n, what] of [
  [1, 'archived'],
  [2, 'queued'],
] as const) {
  test(`the page of an ${what} order shows the figures of the database`, async () => {
    const { status, text, headers } = await get({ mo_id: moId(n) });
    assert.equal(status, 200);
    assert.match(headers.get('content-type') ?? '', /^text\/html; charset=utf-8$/);
    const { audit, timeline } = await auditOfOrder(n);
    assert.ok(audit.length > 0);
    const shown = cells(text, 'silos').map((row) =>
      row.map(({ text: cell }, column) => (column < 2 || cell === '' ? cell : String(Number(cell)))),
    );
    const expected = audit.map(({ silo, component, planned, read, sent, confirmed }) => [
      ...[silo, component ?? '', figure(planned), figure(read), figure(sent), figure(confirmed)],
    ]);
    assert.deepEqual(shown, expected);
    assert.equal(cells(text, 'timeline').length, timeline.length);
  });

  test(`the CSV of an ${what} order parses back to its audit and its timeline`, async () => {
    const { audit, timeline } = await auditOfOrder(n);
    for (const [csv, rows] of [
      ['silos', audit],
      ['timeline', timeline],
    ] as const) {
      const { status, text, headers } = await get({ mo_id: moId(n), csv });
      assert.equal(status, 200);
      assert.equal(headers.get('content-type'), 'text/csv; charset=utf-8; header=present');
      assert.match(headers.get('content-disposition') ?? '', new RegExp(`filename="WH_MO_0000${n}-${csv}\\.csv"`));
      const parsed = parseCsv(text);
      assert.deepEqual(
        parsed,
        rows.map((row) => {
          const cells = Object.entries({ mo_id: moId(n), ...row }).map(([key, value]) => [key, asCell(value)] as const);
          return Object.fromEntries(cells);
        }),
      );
    }
  });
}

test('what the page shows as confirmed is what Odoo holds', async () => {
  const { text } = await get({ mo_id: moId(1) });
  const confirmed = cells(text, 'silos').map((row) => Number(row[5]?.text));
  assert.deepEqual(confirmed, Object.values(plant.odoo.done(moId(1))));
});

test('each figure has its time and outcome in small print', async () => {
  const { text } = await get({ mo_id: moId(1) });
  const [silo_a] = cells(text, 'silos');
  const [, , planned, read, sent, confirmed] = silo_a ?? [];
  for (const cell of [planned, confirmed]) assert.match(cell?.small ?? '', /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
  assert.match(read?.small ?? '', / · plc$/);
  assert.match(sent?.small ?? '', / · confirmed$/);
  const { audit } = await auditOfOrder(1);
  const { confirmed_at } = audit[0] as SiloAudit;
  const zoned = new Date(`${confirmed?.small.replace(' ', 'T')}`);
  assert.equal(zoned.getTime(), Math.floor(Date.parse(confirmed_at ?? '') / 1000) * 1000);
});

test('weights cannot be read as thousands: two decimals, and a third only where it is kept', async () => {
  const { text } = await get({ mo_id: moId(2) });
  assert.deepEqual(
    cells(text, 'silos')[0]?.map((cell) => cell.text),
    ['silo_a', 'Pollard', '825.00', '12.345', '', ''],
  );
});

test('no name breaks out of the page, nor does the order that was asked for', async () => {
  const { text, headers } = await get({ mo_id: moId(1) });
  assert.doesNotMatch(text, /<script/i);
  assert.equal(cells(text, 'silos')[1]?.[1]?.text, SCRIPT);
  assert.match(headers.get('content-security-policy') ?? '', /^default-src 'none'/);
  for (const mo_id of [
    `"><script>alert(1)</script>`,
    `' onfocus='alert(1)`,
    '{{payload.constructor}}',
    '</title><img src=x>',
  ]) {
    const answer = await get({ mo_id });
    assert.equal(answer.status, 404);
    assert.doesNotMatch(answer.text, /<script|<img/i);
    assert.equal(decoded(/name="mo_id" value="([^"]*)"/.exec(answer.text)?.[1] ?? ''), mo_id);
  }
});

test('an order that nobody knows is a 404 with the search field, as page and as CSV', async () => {
  for (const csv of ['', 'silos', 'timeline']) {
    const { status, text, headers } = await get({ mo_id: 'WH/MO/99999', csv });
    assert.equal(status, 404);
    assert.match(headers.get('content-type') ?? '', /^text\/html/);
    assert.match(decoded(text), /No order WH\/MO\/99999 is known here/);
    assert.match(text, /<input name="mo_id"/);
  }
});

test('without an order there is only the search field; parameters that are none count as none', async () => {
  for (const query of ['', '?mo_id=', '?mo_id[toString]=x', '?mo_id=a&mo_id=b', `?mo_id=&audit=1`]) {
    const response = await fetch(`${red.host.url}/mo-bridge/audit${query}`);
    const text = await response.text();
    assert.equal(response.status, 200, query);
    assert.match(text, /<input name="mo_id"/);
    assert.doesNotMatch(text, /<table/);
  }
  const { text } = await get({ mo_id: moId(1), csv: 'constructor' });
  assert.match(text, /<table id="silos">/);
});

test('a row that was taken over has its figures, no times, and the page says why', async () => {
  const { status, text } = await get({ mo_id: moId(3) });
  assert.equal(status, 200);
  const [silo] = cells(text, 'silos');
  assert.deepEqual([silo?.[3]?.text, silo?.[3]?.small], ['7.00', '']);
  assert.match(text, /figures without a time \(silo_c\): the row was taken over/);
  assert.deepEqual(parseCsv((await get({ mo_id: moId(3), csv: 'timeline' })).text), []);
  assert.equal(parseCsv((await get({ mo_id: moId(3), csv: 'silos' })).text)[0]?.read, '7');
});

test('an order that is only read says that its reading is held', async () => {
  const { status, text } = await get({ mo_id: moId(4) });
  assert.equal(status, 200);
  assert.match(text, /a reading of .* is held until the order is queued/);
});

test('a database that is gone is told with 503, and not how it is reached', async () => {
  await deploy(await freePort());
  const { status, text } = await get({ mo_id: moId(1) });
  await deploy(server.port);
  assert.equal(status, 503);
  assert.match(text, /cannot be read now/);
  assert.doesNotMatch(text, new RegExp(server.host));
});

test('the page loads nothing from anywhere', async () => {
  const { text } = await get({ mo_id: moId(1) });
  assert.doesNotMatch(text.replace(/<style>[\s\S]*<\/style>/, ''), /\b(src|href)="(?!\?mo_id=)/);
  assert.doesNotMatch(text, /@import|url\(/);
});

test('an order that is finished meanwhile shows as archived', async () => {
  const { store, ledger } = plant;
  const id = await finishedBatch({ address: server, db, store, ledger }, 5);
  assert.match((await get({ mo_id: moId(5) })).text, /<dt>State<\/dt><dd>done<\/dd>/);
  await store.archive([id], { status: 'completed' });
  assert.match((await get({ mo_id: moId(5) })).text, /<dt>State<\/dt><dd>archived as completed<\/dd>/);
});
