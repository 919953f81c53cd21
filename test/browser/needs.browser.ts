/**
 * "Needs a person" as people use it, on each supported Node-RED: every matter produced at the plant, read on the page, solved
 * by its button, and right in the database and in Odoo afterwards. Its pictures are kept in dist/pictures.
 */
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import pgPromise, { type IDatabase } from 'pg-promise';
import type { Browser } from 'playwright-core';
import { demoFlow, IDS } from '../../examples/plant/demo-flow';
import { startNodeRed, type FlowNode, type NodeRedHost } from '../../examples/plant/node-red-host';
import { startSimulatedOdoo, type SimulatedOdoo } from '../../examples/plant/odoo/simulated-odoo';
import { blockSize, S7_BATCH_RECORD, type SlotRecord, writeSlot } from '../../examples/plant/plc/batch-memory';
import { startS7Server, type S7Server } from '../../examples/plant/plc/s7-server';
import { DATA_BLOCK } from '../../examples/plant/plant';
import { testDatabase, type TestDatabase } from '../support/cluster';
import { nameOf, PAIRS, programs, PROJECT } from '../support/installation';
import { timePasses } from '../support/time';
import { Dashboard, PATIENCE, SCREENS } from './dashboard';
import { startChromium } from './editor';

const SLOTS = 10;
const mo = (n: number): string => `WH/MO/${String(n).padStart(5, '0')}`;
const [TYPO, NEVER] = ['WH/MO/77777', 'WH/MO/88888'];
const DASHBOARD = JSON.parse(readFileSync('examples/10-operator-dashboard.json', 'utf8')) as FlowNode[];

/** What is weighed of the recipe of 2500 kg: nearly the plan. */
const COMPLETE = { status_manufacturing: true, actual_weight_quantity_finished_goods: 2450 };
const WEIGHED = { silo_a: 825.5, silo_b: 600.3 };

let browser: Browser;
const pgp = pgPromise({ noWarnings: true });
before(async () => {
  browser = await startChromium();
});
after(async () => {
  await browser?.close();
  pgp.end();
});

for (const pair of PAIRS.slice(0, 2)) {
  describe(nameOf(pair), () => {
    const pictures = join(PROJECT, 'dist', 'pictures', `node-red-${pair.nodeRed}`);
    let plc: S7Server;
    let odoo: SimulatedOdoo;
    let database: TestDatabase;
    let db: IDatabase<object>;
    let host: NodeRedHost;
    let page: Dashboard;
    let broken = false;

    const slot = (n: number, record: Partial<SlotRecord>): void =>
      writeSlot(plc.memory(DATA_BLOCK), S7_BATCH_RECORD, n, record);
    /** A slot that holds nothing any more. */
    const empty = (n: number): void =>
      slot(n, {
        ...{ mo_id: '', status_manufacturing: false, status_operation: false },
        ...{ actual_weight_quantity_finished_goods: 0, consumption: { silo_a: 0, silo_b: 0 } },
      });
    const stateOf = async (order: string): Promise<string | undefined> =>
      (await db.oneOrNone<{ status: string }>('SELECT status FROM mo_histories WHERE mo_id = $1', order))?.status;
    const eventually = async (what: string, holds: () => Promise<boolean>): Promise<void> => {
      for (const until = Date.now() + 2 * PATIENCE; !(await holds()); await delay(250))
        assert.ok(Date.now() < until, `${what}: not in time`);
    };
    const archived = (order: string, status: string): Promise<void> =>
      eventually(`${order} ${status}`, async () => (await stateOf(order)) === status);
    const decidedBy = async (order: string, kind: string): Promise<string | undefined> =>
      (
        await db.any<{ by: string }>(`SELECT detail->>'by' AS by FROM mo_events WHERE mo_id = $1 AND kind = $2`, [
          order,
          kind,
        ])
      )[0]?.by;

    before(async () => {
      mkdirSync(pictures, { recursive: true });
      [plc, odoo, database] = await Promise.all([
        startS7Server({ dbs: { [DATA_BLOCK]: blockSize(S7_BATCH_RECORD, SLOTS) } }),
        startSimulatedOdoo(),
        testDatabase(),
      ]);
      for (let n = 1; n <= 9; n += 1) odoo.createOrder({ name: mo(n), quantity: 2500, policy: 'flexible' });
      db = pgp(database);
      const { flow, credentials } = demoFlow({ plc, odoo: odoo }, { fetch: 3, push: 2, archive: 3 });
      const server = {
        mode: 'server',
        host: database.host,
        serverPort: String(database.port),
        database: database.database,
      };
      const changes: Record<string, object> = { [IDS.database]: server, 'mo-t2-read': { slots: String(SLOTS) } };
      host = await startNodeRed({
        ...(await programs(pair)),
        flow: [...flow.map((node) => ({ ...node, ...changes[node.id] })), ...DASHBOARD],
        credentials: { ...credentials, [IDS.database]: { user: database.user, password: database.password } },
      });
      await eventually(
        'the database is ready',
        async () => (await db.one<{ ready: boolean }>(`SELECT to_regclass('mo_schema') IS NOT NULL AS ready`)).ready,
      );
      await eventually(
        'the orders are queued',
        async () =>
          (await db.any(`SELECT FROM pg_class WHERE relname = 'mo_rejected_slots'`)).length === 1 &&
          (await db.any('SELECT FROM mo_batch')).length === 9,
      );
    });
    after(async () => {
      await page?.close();
      await host?.stop();
      await Promise.all([plc?.stop(), odoo?.stop()]);
      await db?.$pool.end();
      await database?.drop();
    });

    const need = (code: string, order = '') =>
      page.page.locator(`[data-code="${code}"]${order ? `[data-need$="${order}"]` : ''}`);
    const says = async (code: string, sentence: RegExp, order = ''): Promise<void> => {
      await need(code, order).waitFor();
      assert.match(((await need(code, order).locator('p').textContent()) ?? '').replace(/\s+/g, ' ').trim(), sentence);
    };
    /** Presses the button of a matter, fills its dialog, and waits until it is no matter any more. */
    const solve = async (
      code: string,
      button: string,
      fields: Record<string, string>,
      decide = button,
    ): Promise<void> => {
      await need(code).getByRole('button', { name: button, exact: true }).click();
      const dialog = page.page.locator('.mo-dialog');
      await dialog.waitFor();
      for (const [label, value] of Object.entries(fields)) {
        if (label === 'radio') await dialog.getByLabel(value).check();
        else await dialog.getByLabel(label).first().fill(value);
      }
      await dialog.getByLabel('Your name').fill('anna');
      await dialog.getByRole('button', { name: decide, exact: true }).click();
      await need(code).waitFor({ state: 'detached' });
    };
    const step = (name: string, act: () => Promise<void>): void =>
      void test(name, async () => {
        assert.ok(!broken, 'an earlier step failed');
        try {
          await act();
        } catch (error) {
          broken = true;
          await page?.page.screenshot({ path: join(pictures, 'needs-failed.png'), fullPage: true });
          throw error;
        }
      });

    step('nobody is needed while everything runs', async () => {
      slot(1, { mo_id: mo(1), status_operation: true, consumption: WEIGHED });
      page = await Dashboard.open(browser, host.url, 'wide');
      await page.page.getByText('Nobody is needed').waitFor();
      await page.inState(mo(1), 'running');
    });

    step('every matter is told in one sentence, the most urgent first', async () => {
      slot(2, { mo_id: TYPO, ...COMPLETE, consumption: WEIGHED });
      slot(3, { mo_id: mo(3), ...COMPLETE, actual_weight_quantity_finished_goods: 0, consumption: WEIGHED });
      slot(4, { mo_id: mo(4), status_operation: true, consumption: { silo_a: -5 } });
      slot(5, { mo_id: mo(5), status_operation: true, consumption: WEIGHED });
      slot(6, { mo_id: mo(6), ...COMPLETE, consumption: { silo_a: 1 } });
      slot(7, { mo_id: mo(7), ...COMPLETE, consumption: { silo_a: 700, silo_b: 500 } });
      slot(8, { mo_id: NEVER, status_operation: true, consumption: { silo_a: 3 } });
      await page.inState(mo(5), 'running');
      odoo.cancel(mo(5));
      slot(5, { consumption: { silo_a: 830 } });
      await eventually(
        'slot 7 was read',
        async () => (await db.any(`SELECT FROM mo_slots WHERE mo_id = $1`, mo(7))).length > 0,
      );
      slot(7, { mo_id: mo(8) });
      await need('held-foreign').waitFor();
      await eventually(
        'Odoo was asked',
        async () => (await db.any(`SELECT FROM mo_held_readings WHERE reason IS NULL AND asks > 0`)).length === 2,
      );
      await db.none(timePasses(20));
      await db.none(
        `UPDATE mo_batch SET last_plc_reading = last_plc_reading || jsonb_build_object('recorded_at', now() - interval '20 minutes') WHERE mo_id = $1`,
        mo(1),
      );
      await says(
        'held-unknown',
        /^MO WH\/MO\/77777, slot 2.*: 1425\.8 kg weighed, and Odoo has no confirmed order of this number, since .+ \(2\d min\)\. Was it mistyped\?/,
        TYPO,
      );
      await says('held-unknown', /^MO WH\/MO\/88888, slot 8/, NEVER);
      await says(
        'no-finished-weight',
        /^MO WH\/MO\/00003, slot 3.* is complete with 1425\.8 kg weighed, and nobody told how much was finished, since /,
      );
      await says(
        'rejected',
        /^MO WH\/MO\/00004, slot 4.* cannot be taken: .*silo_a .*-5.*, since .+ Correct it in the PLC/,
      );
      await says(
        'set-aside',
        /^MO WH\/MO\/00005, slot 5.* is set aside: .+, since .+ Mend the cause, then retry it; or archive it\.$/,
      );
      await says(
        'undecided',
        /^MO WH\/MO\/00006, slot 6.* is complete and cannot be closed: 2450 kg finished, 1 kg weighed/,
      );
      await says(
        'held-foreign',
        /^MO WH\/MO\/00008, slot 7.* shows the very weights of MO WH\/MO\/00007 \(1200 kg\), since .+ Is it a batch of its own\?/,
      );
      await says(
        'stalled',
        /^MO WH\/MO\/00001, slot 1.* says that it runs, but its weights stand still, since .+ Look at the machine/,
      );
      const codes = await page.page
        .locator('[data-code]')
        .evaluateAll((all) => all.map((one) => one.getAttribute('data-code')));
      assert.deepEqual(codes, [
        ...['set-aside', 'undecided', 'no-finished-weight', 'held-unknown', 'held-unknown', 'held-foreign'],
        ...['rejected', 'stalled'],
      ]);
      assert.equal(await page.page.locator('.mo-needs .count').textContent(), '8');
      assert.match(
        (await page.page.locator('.mo-needs h2').textContent()) ?? '',
        /1 set aside.*1 to decide.*3 held.*1 refused/,
      );
      assert.match((await page.rows.first().textContent()) ?? '', /set aside/, 'rows by need');
    });

    step('wall screen, laptop and phone show it, light and dark', async () => {
      for (const screen of Object.keys(SCREENS) as (keyof typeof SCREENS)[])
        for (const colorScheme of ['light', 'dark'] as const) {
          const other = await Dashboard.open(browser, host.url, screen, colorScheme);
          await other.page.locator('[data-code]').nth(7).waitFor();
          await other.rows.first().waitFor();
          await delay(6_000);
          await other.page.screenshot({ path: join(pictures, `needs-${screen}-${colorScheme}.png`) });
          const width = await other.page.evaluate('document.documentElement.scrollWidth - window.innerWidth');
          assert.ok(Number(width) <= 0, `${screen}: nothing is cut at the right`);
          const first = await other.page.locator('[data-code]').first().boundingBox();
          assert.ok(first && first.y < 300, `${screen}: needs come first`);
          assert.deepEqual(other.complaints, []);
          await other.close();
        }
    });

    step('a mistyped number: the reading belongs to the order that was meant, and Odoo gets it', async () => {
      await need('held-unknown', TYPO).getByRole('button', { name: 'Belongs to …' }).click();
      const dialog = page.page.locator('.mo-dialog');
      await dialog.getByLabel('The order that was meant').fill('WH/MO/00099');
      await dialog.getByLabel('Your name').fill('anna');
      await page.page.screenshot({ path: join(pictures, 'needs-dialog.png') });
      await dialog.getByRole('button', { name: 'Belongs to …' }).click();
      await page.notice(/Odoo does not know order WH\/MO\/00099/);
      await need('held-unknown', TYPO).getByRole('button', { name: 'Belongs to …' }).click();
      await dialog.getByLabel('The order that was meant').fill(mo(1));
      await dialog.getByRole('button', { name: 'Belongs to …' }).click();
      await page.notice(/has a reading of its own/);
      await need('held-unknown', TYPO).getByRole('button', { name: 'Belongs to …' }).click();
      await dialog.getByLabel('The order that was meant').fill(mo(2));
      await dialog.getByRole('button', { name: 'Belongs to …' }).click();
      await need('held-unknown', TYPO).waitFor({ state: 'detached' });
      await archived(mo(2), 'completed');
      assert.deepEqual([odoo.order(mo(2)).state, odoo.done(mo(2)).silo101], ['done', 825.5]);
      assert.equal(await decidedBy(TYPO, 'belongs-to'), 'anna');
      assert.equal(await decidedBy(mo(2), 'belongs-to'), 'anna');
    });

    step('a reading that nobody wants is discarded, and its slot may go on showing it', async () => {
      await solve('held-unknown', 'Discard …', { 'Why?': 'a test of the scales' });
      assert.equal(await decidedBy(NEVER, 'discarded'), 'anna');
      await delay(5_000);
      assert.equal(await need('held-unknown').count(), 0);
    });

    step('the finished weight is entered, and Odoo closes the order with it', async () => {
      await solve('no-finished-weight', 'Enter finished weight …', { 'Finished goods': '2440' });
      await archived(mo(3), 'completed');
      assert.deepEqual([odoo.order(mo(3)).state, odoo.order(mo(3)).finished], ['done', 2440]);
      assert.equal(await decidedBy(mo(3), 'finished-weight'), 'anna');
    });

    step('a cancelled order is archived as failed, a batch with little weighed closed all the same', async () => {
      await solve('set-aside', 'Archive …', { radio: 'failed', 'Why?': 'recipe withdrawn' });
      await archived(mo(5), 'failed');
      assert.equal(await decidedBy(mo(5), 'archived'), 'anna');
      await solve('undecided', 'Close all the same', { 'Why?': 'hand weighed' });
      await archived(mo(6), 'completed');
      assert.deepEqual([odoo.order(mo(6)).state, odoo.done(mo(6)).silo101], ['done', 1]);
    });

    step('a batch of its own that weighs the same is accepted', async () => {
      await solve('held-foreign', 'Accept', {});
      await archived(mo(8), 'completed');
      assert.deepEqual([odoo.order(mo(8)).state, odoo.done(mo(8)).silo101], ['done', 700]);
    });

    step('what is mended at the machine goes by itself', async () => {
      slot(4, { consumption: { silo_a: 5 } });
      await need('rejected').waitFor({ state: 'detached' });
      await page.inState(mo(4), 'running');
      slot(1, { consumption: { silo_a: 826 } });
      await need('stalled').waitFor({ state: 'detached' });
      for (const n of [2, 3, 5, 6, 7, 8]) empty(n);
      await page.page.getByText('Nobody is needed').waitFor();
      await page.page.locator(`[data-archived="${mo(2)}"]`).waitFor();
      await page.page.screenshot({ path: join(pictures, 'needs-none.png') });
    });

    step('the console of the browser holds no error, and nothing was asked of the outside', async () => {
      assert.deepEqual(page.complaints, []);
      return Promise.resolve();
    });
  });
}
