/** The shipped cycle of a plant with forty silos, over the real nodes: from the list of orders to the history, equal by silo. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { startSimulatedOdoo } from '../../examples/plant/odoo/simulated-odoo';
import { startStandardOdoo } from '../../examples/plant/odoo/standard/standard-odoo';
import { startS7Server } from '../../examples/plant/plc/s7-server';
import { actualWeights, DEFAULT_SILOS, plannedWeights, type SiloWeights } from '../../nodes/lib/domain/silos';
import type { S7EndpointNode } from '../../nodes/lib/node-red/config-nodes';
import type { Discrepancy } from '../../nodes/lib/domain/reconciliation';
import type { SlotField } from '../../nodes/lib/plc/slot-layout';
import type { Audit } from '../../nodes/lib/store/audit';
import type { ArchivedBatch, ListedBatch } from '../../nodes/lib/store/reports';
import { queryOnce, testDatabase } from '../support/cluster';
import {
  databaseLogin,
  eventually,
  type FlowNode,
  type Message,
  ODOO_LOGIN,
  sink,
  startFlow,
  stopHelper,
  TO_SINK,
} from '../support/node-red';

after(stopHelper);

const SILOS = [
  ...DEFAULT_SILOS,
  ...Array.from({ length: 25 }, (_, at) => ({ tag: `bin_${at + 16}`, code: `B-${at + 16}`, label: `Bin ${at + 16}a` })),
].map((silo) => ({ enabled: true, ...silo }));
const byTag = (kg: (index: number) => number): Record<string, number> =>
  Object.fromEntries(SILOS.map(({ tag }, index) => [tag, kg(index)]));
const PLAN = byTag((index) => 20 + index * 1.25);
const HALF = byTag((index) => 10 + index * 0.5);
const FINAL = byTag((index) => 20 + index * 1.24);
const sum = (kg: object): number => Object.values(kg).reduce((all: number, one) => all + Number(one), 0);
const QUANTITY = Math.round(sum(PLAN));

/** A slot: STRING[20], three bits, the finished weight, then forty REALs. */
const WEIGHTS = 28;
const SLOT_BYTES = WEIGHTS + 4 * SILOS.length;
const FIELDS: SlotField[] = [
  { field: 'mo_id', type: 'STRING', offset: 0, length: 20 },
  { field: 'status_manufacturing', type: 'BOOL', offset: 22 },
  { field: 'status_operation', type: 'BOOL', offset: 22.1 },
  { field: 'actual_weight_quantity_finished_goods', type: 'REAL', offset: 24 },
  ...SILOS.map(({ tag }, index): SlotField => ({ field: tag, type: 'REAL', offset: WEIGHTS + 4 * index })),
];

function show(memory: Buffer, mo_id: string, weights: Record<string, number>, finished = 0): void {
  SILOS.forEach(({ tag }, index) => memory.writeFloatBE(weights[tag] ?? 0, WEIGHTS + 4 * index));
  memory.writeFloatBE(finished, 24);
  memory.set([20, mo_id.length, ...Buffer.from(mo_id.padEnd(20, '\0'), 'latin1')], 0);
  memory[22] = finished > 0 ? 0b01 : 0b10;
}

const SHIPPED = JSON.parse(readFileSync('flows/mo-consumption-cycle.json', 'utf8')) as FlowNode[];
const isUsed = ({ type, d }: FlowNode): boolean =>
  !d && (type === 's7 endpoint' || /^(odoo-|mo-|plc-|silo-|history-)/.test(type));
const store = (operation: string): FlowNode => ({
  ...{ id: operation, type: 'mo-batch-store', name: operation, database: 'mo-db', silos: 'mo-silos', operation },
  ...{ line: '', limit: '10', limitType: 'num', ...TO_SINK },
});
const OF_ODOO = { server: 'mo-odoo', silos: 'mo-silos', ...TO_SINK };
const BESIDE: FlowNode[] = [
  ...['list', 'trail', 'archived'].map(store),
  { id: 'by-hand', type: 'odoo-push-consumption', name: '', operation: 'update', database: 'mo-db', ...OF_ODOO },
  { id: 'compare', type: 'odoo-fetch-mo', name: '', operation: 'compare', line: '', ...OF_ODOO },
  sink,
];

const KINDS = {
  'the addon': {
    start: () => startSimulatedOdoo(),
    config: { database: 'odoo14' },
    login: ODOO_LOGIN['odoo'] as object,
  },
  'a standard Odoo 17': {
    start: () => startStandardOdoo({ version: 17 }),
    config: { database: 'odoo17', interface: 'standard', secret: 'password', siloBy: 'reference' },
    login: { user: 'bridge', password: 'bridge' },
  },
};

for (const [kind, { start, config, login }] of Object.entries(KINDS)) {
  test(`forty silos with ${kind}: fetched, weighed, pushed, corrected, closed, archived and told, equal by silo`, async (t) => {
    const odoo = await start();
    t.after(() => odoo.stop());
    const components = SILOS.map(({ tag, code }) => ({ code, product: `Component ${code}`, quantity: PLAN[tag]! }));
    const order = { quantity: QUANTITY, bomQty: QUANTITY, components, policy: 'flexible' as const, line: 'PLC01' };
    const { name } = odoo.createOrder(order);
    const plc = await startS7Server({ dbs: { 100: SLOT_BYTES } });
    t.after(() => plc.stop());
    const memory = plc.memory(100);
    const address = await testDatabase();
    t.after(() => address.drop());
    process.env['LINE'] = 'PLC01';
    t.after(() => Reflect.deleteProperty(process.env, 'LINE'));

    const changes: Record<string, object> = {
      'mo-odoo': { url: odoo.url, ...config },
      'mo-db': { mode: 'server', host: address.host, serverPort: String(address.port), database: address.database },
      'mo-plc': { address: plc.host, port: String(plc.port) },
      'mo-silos': { silos: SILOS },
      'mo-t2-read': { stride: String(SLOT_BYTES), slots: '1', fields: FIELDS },
    };
    const flow = SHIPPED.filter(isUsed).map((node) => ({ ...node, ...changes[node.id] }));
    const logins = { 'mo-odoo': login, 'mo-db': databaseLogin(address)['db'] as object };
    const red = await startFlow(t, [...flow, ...BESIDE], logins);
    const { endpoint } = red.node<S7EndpointNode>('mo-plc');
    if (endpoint && !endpoint.isConnected) await once(endpoint, 'connect');
    const ask = async <T>(node: string, msg: Message = {}): Promise<T> => {
      const { error, out } = await red.send(node, msg);
      if (error) throw error;
      return out[0]?.[0]?.payload as T;
    };
    /** kg in Odoo, by the silo's tag. */
    const taken = (): SiloWeights => {
      const byCode = odoo.done(name);
      return byTag((index) => byCode[SILOS[index]!.code] ?? 0);
    };
    const row = async (): Promise<ListedBatch> => (await ask<ListedBatch[]>('list'))[0]!;
    const isSent = (weights: Record<string, number>): Promise<void> =>
      eventually('what was weighed, confirmed by Odoo', async () => {
        const { update_odoo, ...batch } = await row();
        return update_odoo && sum(actualWeights(batch)).toFixed(2) === sum(weights).toFixed(2);
      });

    await red.send('mo-t1-fetch');
    await red.shows('mo-t1-queue', /^green: 1 /);
    const rounded = (weights: object): Record<string, string> =>
      Object.fromEntries(Object.entries(weights).map(([tag, kg]) => [tag, Number(kg).toFixed(2)]));
    assert.deepEqual(rounded(plannedWeights(await row())), rounded(PLAN));

    show(memory, name, HALF);
    await red.send('mo-t2-read');
    await isSent(HALF);
    assert.deepEqual(rounded(taken()), rounded(HALF));

    // A correction by hand stays while the PLC says nothing new of that silo.
    const corrected = { ...HALF, bin_40: 77.7 };
    await ask('by-hand', { payload: { mo_id: name, consumption_data: { bin_40: 77.7 } } });
    await red.send('mo-t2-read');
    await isSent(corrected);
    assert.deepEqual(rounded(taken()), rounded(corrected));
    // Less than before, while it runs: told by its label.
    show(memory, name, { ...HALF, bin_39: 1 });
    await red.send('mo-t2-read');
    await red.logs(/weight falls while running \(Bin 39a\)/);
    // A slot that cannot be: told by its label too, and nothing of it is taken.
    show(memory, name, { ...HALF, bin_38: NaN });
    await red.send('mo-t2-read');
    await red.logs(/rejected: Bin 38a = NaN/);
    await isSent({ ...corrected, bin_39: 1 });

    show(memory, name, FINAL, QUANTITY);
    await red.send('mo-t2-read');
    await eventually('the final values in Odoo', async () => {
      const { status_manufacturing, update_odoo } = await row();
      return status_manufacturing && update_odoo === true;
    });
    await red.send('mo-t3-completed');
    await eventually('the history', async () => {
      const rows = await queryOnce(address, `SELECT FROM mo_histories WHERE status = 'completed'`);
      return rows.length === 1;
    });
    assert.equal(odoo.order(name).state, 'done');
    const [archived] = await ask<ArchivedBatch[]>('archived');
    assert.deepEqual(rounded(actualWeights(archived!)), rounded(FINAL));
    assert.deepEqual(rounded(taken()), rounded(FINAL));
    for (const figure of ['planned', 'read', 'sent', 'confirmed'] as const) {
      const told = Object.fromEntries(archived!.silos.map((silo) => [silo.silo, silo[figure]]));
      assert.deepEqual(rounded(told), rounded(figure === 'planned' ? PLAN : FINAL), figure);
    }

    const { audit, totals } = await ask<Audit>('trail', { mo_id: name });
    assert.deepEqual(
      audit.map(({ silo, label, component }) => [silo, label, component]),
      SILOS.map(({ tag, code, label }, at) => [tag, at < 15 ? undefined : label, `Component ${code}`]),
    );
    assert.equal(totals.confirmed.toFixed(2), sum(FINAL).toFixed(2));
    assert.ok(audit.every(({ read_at, sent_at, confirmed_at }) => read_at && sent_at && confirmed_at));

    assert.equal(await ask('compare', { payload: [archived] }), undefined, 'nothing differs');
    odoo.consumeByHand(name, 'B-40', 5);
    const [found] = await ask<Discrepancy[]>('compare', { payload: [archived] });
    assert.deepEqual([found?.silo, found?.label], ['bin_40', 'Bin 40a']);
    assert.match(found?.reason ?? '', /^Bin 40a \(B-40\): 68\.36 kg here, 5 kg in Odoo/);
  });
}
