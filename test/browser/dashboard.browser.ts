/**
 * The operator dashboard as people use it, on each supported Node-RED: imported beside the shipped cycle, on a wall screen and
 * on a phone, its numbers against the database, its buttons and its lights.
 * Run by `npm run test:browser`; its pictures are kept in dist/pictures, and those in examples/pictures come from there.
 */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import pgPromise, { type IDatabase } from 'pg-promise';
import type { Browser } from 'playwright-core';
import { demoFlow, IDS } from '../../examples/plant/demo-flow';
import { startNodeRed, type NodeRedHost } from '../../examples/plant/node-red-host';
import { startPlant, type Plant } from '../../examples/plant/plant';
import { SILO_TAGS } from '../../nodes/lib/domain/silos';
import { testDatabase, type TestDatabase } from '../support/cluster';
import {
  copyOf,
  install,
  type Installation,
  linkDashboard,
  nameOf,
  PACKAGE,
  PAIRS,
  programs,
  PROJECT,
} from '../support/installation';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy';
import { Dashboard, PATIENCE } from './dashboard';
import { Editor, startChromium } from './editor';

/** The charts ask for the last hours this often (ms). */
const CHARTS_EVERY = 20_000;

const number = (mo: string): string => `WH/MO/${mo}`;
/** A batch that is being weighed when the plant stands still; one that Odoo is made to refuse; one that is cancelled there. */
const SLOTS = [1, 2, 3, 4, 5, 6, 7, 8];
const [RUNNING, REFUSED, CANCELLED] = [number('00005'), number('00006'), number('00007')] as const;

/** What the database holds of an order, as the page writes it (kg). */
interface Held {
  mo_id: string;
  state: string;
  read: string;
  planned: string;
  confirmed: string;
  silos: Record<string, string>;
}

const sum = (column: (tag: string) => string): string =>
  `(${SILO_TAGS.map((tag) => `coalesce(round((${column(tag)})::numeric, 2), 0.00)`).join(' + ')})::text`;
const FIGURES = ['actual_consumption', 'consumption', 'confirmed'] as const;
const columnOf = (figure: (typeof FIGURES)[number], tag: string): string =>
  figure === 'confirmed' ? `confirmed_consumption->>'${tag}'` : `${figure}_${tag}`;
const shown = (column: string): string => `coalesce(round((${column})::numeric, 2)::text, '–')`;
/** By SQL of its own: what the nodes make of the same rows is what is tested. */
const HELD = `SELECT mo_id, CASE WHEN status_manufacturing THEN 'confirmed' WHEN revision > 0 THEN 'running' ELSE 'queued' END AS state,
  ${FIGURES.map((figure, n) => `${sum((tag) => columnOf(figure, tag))} AS ${['read', 'planned', 'confirmed'][n]}`).join(', ')},
  jsonb_build_object(${SILO_TAGS.map(
    (tag) => `'${tag}', concat_ws(' / ', ${FIGURES.map((figure) => shown(columnOf(figure, tag))).join(', ')})`,
  ).join(', ')}) AS silos
  FROM mo_batch ORDER BY CASE WHEN status_manufacturing THEN 1 WHEN revision > 0 THEN 2 ELSE 3 END, equipment_id_batch, batch_no`;

let browser: Browser;
let installed: Installation;
const pgp = pgPromise({ noWarnings: true });
before(async () => {
  browser = await startChromium();
  installed = await install();
});
after(async () => {
  await browser?.close();
  await installed?.remove();
  pgp.end();
});

for (const pair of PAIRS.slice(0, 2)) {
  describe(nameOf(pair), () => {
    const pictures = join(PROJECT, 'dist', 'pictures', `node-red-${pair.nodeRed}`);
    let copy: Installation;
    let plant: Plant;
    let database: TestDatabase;
    let network: TcpProxy;
    let db: IDatabase<object>;
    let host: NodeRedHost;
    let wide: Dashboard;
    let phone: Dashboard;
    let broken = false;
    /** Since when the charts have something to show for the hours before this one. */
    let past = 0;

    before(async () => {
      mkdirSync(pictures, { recursive: true });
      copy = await copyOf(installed);
      await linkDashboard(copy);
      database = await testDatabase();
      db = pgp(database);
      network = await startTcpProxy(database);
      plant = await startPlant({ orders: 10, slots: SLOTS.length, weighMs: 60_000, keepMs: 600_000, tickMs: 200 });
      // However long it takes until somebody looks: the plant waits.
      while (plant.mill.snapshot().slots.some(({ phase }) => phase !== 'weighing')) await delay(50);
      for (const slot of SLOTS) plant.mill.pause(slot);
      const { flow, credentials } = demoFlow(plant, { fetch: 5, push: 2, archive: 600 });
      const server = {
        mode: 'server',
        host: '127.0.0.1',
        serverPort: String(network.port),
        database: database.database,
      };
      const changes: Record<string, object> = { [IDS.database]: server, 'mo-t2-read': { slots: String(SLOTS.length) } };
      host = await startNodeRed({
        ...(await programs(pair)),
        flow: flow.map((node) => ({ ...node, ...changes[node.id] })),
        credentials: { ...credentials, [IDS.database]: { user: database.user, password: database.password } },
        userDir: copy.userDir,
        installed: true,
      });
    });
    after(async () => {
      await Promise.all([wide, phone].map((page) => page?.close()));
      await host?.stop();
      await plant?.stop();
      await network?.stop();
      await db?.$pool.end();
      await database?.drop();
      await copy?.remove();
    });

    const photograph = async ({ page }: Dashboard, name: string): Promise<void> => {
      await page.screenshot({ path: join(pictures, `${name}.png`) });
    };
    const correct = (order: string, column: string, kg: number): Promise<null> =>
      db.none('UPDATE mo_batch SET $1:name = $2 WHERE mo_id = $3', [column, kg, order]);
    const eventually = async (what: string, holds: () => Promise<boolean>): Promise<void> => {
      for (const until = Date.now() + 2 * PATIENCE; !(await holds()); await delay(250))
        assert.ok(Date.now() < until, `${what}: not in time`);
    };
    /** A step of the story: the steps build on each other, and one that fails leaves a picture. */
    const step = (name: string, act: () => Promise<void>): void =>
      void test(name, async () => {
        assert.ok(!broken, 'an earlier step failed');
        try {
          await act();
        } catch (error) {
          broken = true;
          if (wide) await photograph(wide, 'dashboard-failed');
          throw error;
        }
      });

    step('imported beside the shipped cycle, it uses its config nodes, and there is nothing to choose', async () => {
      const editor = await Editor.open(browser, host.url);
      await editor.importExample(PACKAGE, 'operator-dashboard', '10 Operator dashboard');
      const invalid = await editor.page.evaluate(
        `RED.nodes.filterNodes({ z: 'ex10-tab' }).filter(({ valid }) => !valid).map(({ id }) => id)`,
      );
      assert.deepEqual(invalid, []);
      const users = await editor.page.evaluate(
        `RED.nodes.node('${IDS.database}').users.filter(({ z }) => z === 'ex10-tab').length`,
      );
      assert.equal(users, 15);
      await editor.deploy();
      assert.deepEqual(editor.complaints, []);
      await editor.page.close();
    });

    step('the wall screen and the phone show the queue', async () => {
      [wide, phone] = await Promise.all([
        Dashboard.open(browser, host.url, 'wide'),
        Dashboard.open(browser, host.url, 'phone'),
      ]);
      for (const page of [wide, phone]) await page.rows.nth(9).waitFor();
      for (const kind of ['odoo', 'plc', 'database'] as const) await wide.light(kind, 'up');
    });

    step('the numbers on the page are those in the database', async () => {
      // Batches of every progress: the plant stands still when three are weighed and five are stopped on the way.
      for (const slot of SLOTS) plant.mill.resume(slot);
      for (const slot of SLOTS.slice(3).reverse()) {
        await delay(8_000);
        plant.mill.pause(slot);
      }
      await eventually('three batches are weighed, and Odoo has confirmed everything', async () => {
        const { weighed, open } = await db.one<Record<'weighed' | 'open', number>>(
          `SELECT count(*) FILTER (WHERE status_manufacturing)::int AS weighed,
             count(*) FILTER (WHERE revision > 0 AND NOT update_odoo)::int AS open FROM mo_batch`,
        );
        return weighed === 3 && open === 0;
      });
      const held = await db.any<Held>(HELD);
      for (const { mo_id, state } of held) if (state === 'confirmed') await wide.inState(mo_id, 'confirmed');
      await eventually(
        'the page is as new as the database',
        async () =>
          (await wide.row(RUNNING).textContent())?.includes(
            held.find(({ mo_id }) => mo_id === RUNNING)?.read ?? '?',
          ) === true,
      );
      for (const [n, { mo_id, state, read, planned, confirmed, silos }] of held.entries()) {
        assert.equal(await wide.rows.nth(n).getAttribute('data-order'), mo_id);
        assert.equal(await wide.row(mo_id).locator('.mo-state').textContent(), state, mo_id);
        assert.equal(await wide.row(mo_id).locator('.progress small').textContent(), `${read} of ${planned} kg`, mo_id);
        await wide.choose(mo_id);
        for (const [name, kg] of Object.entries({ read, planned, confirmed }))
          assert.equal(await wide.page.locator(`.total-${name}`).textContent(), kg, `${mo_id} ${name}`);
        const bars = await wide.page.locator('.mo-silo').all();
        assert.equal(bars.length, 13, 'the silos of the recipe');
        for (const bar of bars) {
          const tag = (await bar.getAttribute('data-silo')) ?? '';
          const texts = ['read', 'planned', 'confirmed'].map((name) => bar.locator(`.figures .${name}`).textContent());
          assert.equal((await Promise.all(texts)).join(' / '), silos[tag], `${mo_id} ${tag}`);
        }
      }
      assert.equal(held.filter(({ state }) => state === 'running').length, 5);
      // So that the charts have a day to show: what was weighed in this minute is spread over nine hours.
      await db.none(`UPDATE mo_events SET at = at - make_interval(hours => (id % 9)::int)`);
      past = Date.now();
    });

    step('an order that Odoo refuses is retried by button, and confirmed when the cause is mended', async () => {
      await phone.choose(RUNNING);
      await wide.choose(REFUSED);
      await wide.button('Retry now').click();
      await wide.notice(/WH\/MO\/00006: nothing to retry/);
      // Its recipe has no FML: Odoo takes the rest only.
      await correct(REFUSED, 'actual_consumption_lq_fml', 10);
      await wide.inState(REFUSED, 'set aside');
      await wide.button('Retry now').click();
      await wide.notice(/WH\/MO\/00006: .+ It is set aside again\./);
      await correct(REFUSED, 'actual_consumption_lq_fml', 0);
      await wide.button('Retry now').click();
      await wide.notice(/WH\/MO\/00006: Odoo has confirmed its values\./);
      await wide.inState(REFUSED, 'running');
      assert.deepEqual(await db.one('SELECT update_odoo, set_aside_at FROM mo_batch WHERE mo_id = $1', REFUSED), {
        update_odoo: true,
        set_aside_at: null,
      });
      assert.equal(
        await phone.page.locator('[data-shown]').getAttribute('data-shown'),
        RUNNING,
        'another choice stays',
      );
      assert.equal(await phone.page.getByText(/WH\/MO\/00006:/).count(), 0, 'only who pressed is told');
    });

    step('an order that was cancelled in Odoo is archived by button, with a note', async () => {
      plant.odoo.cancel(CANCELLED);
      await correct(CANCELLED, 'actual_consumption_silo_a', 500);
      await wide.inState(CANCELLED, 'set aside');
      await wide.choose(RUNNING);
      await phone.choose(CANCELLED);
      await delay(Math.max(0, past + CHARTS_EVERY + 5_000 - Date.now()));
      await photograph(wide, 'dashboard-wide');
      await photograph(phone, 'dashboard-phone-order');
      await phone.page.evaluate('document.querySelector(".mo-lights").scrollIntoView({ block: "center" })');
      await phone.page.mouse.wheel(0, -5_000);
      await photograph(phone, 'dashboard-phone');
      await phone.choose(CANCELLED);
      await phone.button('Archive as cancelled').click();
      const dialog = phone.page.locator('.mo-dialog');
      await dialog.waitFor();
      assert.ok(await phone.button('Archive').isDisabled(), 'without a note');
      await dialog.locator('textarea').first().fill('wrong recipe, <b>planner</b> informed');
      await phone.button('Archive').click();
      await phone.notice(/WH\/MO\/00007 is in the history as cancelled: wrong recipe, <b>planner<\/b> informed/);
      await wide.row(CANCELLED).waitFor({ state: 'detached' });
      assert.deepEqual(await db.any('SELECT mo_id, status, notes FROM mo_histories'), [
        { mo_id: CANCELLED, status: 'cancelled', notes: 'wrong recipe, <b>planner</b> informed' },
      ]);
    });

    step('the lights turn red when Odoo, PLC or database is gone, and green when it is back', async () => {
      await plant.odoo.stop();
      await correct(RUNNING, 'actual_consumption_silo_a', 500);
      await wide.light('odoo', 'down');
      await plant.odoo.start();
      await wide.choose(RUNNING);
      await wide.button('Retry now').click();
      // Unless Task 2 has been faster.
      await wide.notice(/WH\/MO\/00005: (Odoo has confirmed its values\.|nothing to retry|nothing was sent)/);
      const isConfirmed = async (): Promise<boolean> =>
        (await db.one<{ update_odoo: boolean }>('SELECT update_odoo FROM mo_batch WHERE mo_id = $1', RUNNING))
          .update_odoo;
      while (!(await isConfirmed())) await delay(100);
      await wide.light('odoo', 'up');

      await plant.plc.setFault({ refuse: true });
      await wide.light('plc', 'down');
      await photograph(wide, 'dashboard-plc-lost');
      await plant.plc.clearFaults();
      await wide.light('plc', 'up');

      await network.goAway();
      await wide.light('database', 'down');
      await wide.page.getByText(/The queue cannot be read/).waitFor();
      assert.equal(await wide.rows.count(), 9, 'what was read last is still shown');
      await wide.button('Retry now').click();
      await wide.notice(/WH\/MO\/00005: database not available/);
      await photograph(wide, 'dashboard-database-lost');
      await network.comeBack();
      await wide.light('database', 'up');
      await wide.page.getByText(/The queue cannot be read/).waitFor({ state: 'hidden' });
    });

    step('the consoles of the browsers hold no error, and nothing was asked of the outside', async () => {
      assert.deepEqual([...wide.complaints, ...phone.complaints], []);
      return Promise.resolve();
    });
  });
}
