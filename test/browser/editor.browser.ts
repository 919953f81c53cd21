/**
 * The first ten minutes of an engineer in the editor, on each supported Node-RED: the palette, the shipped example, every
 * dialog, the addresses, the interval, the deploy, and an order on its way into the history.
 * Run by `npm run test:browser`; its pictures are kept in dist/pictures, and those in examples/pictures come from there.
 */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import pgPromise from 'pg-promise';
import { account } from '../../examples/plant/account';
import { IDS, shippedFlow } from '../../examples/plant/demo-flow';
import { startNodeRed, type NodeRedHost } from '../../examples/plant/node-red-host';
import { startPlant, type Plant } from '../../examples/plant/plant';
import { copyOf, install, nameOf, PACKAGE, PAIRS, programs, PROJECT, type Installation } from '../support/installation';
import { Editor, mend, startChromium } from './editor';

const ACTIONS = [
  'odoo-fetch-mo',
  'plc-consumption-read',
  'mo-batch-store',
  'odoo-push-consumption',
  'history-archive',
] as const;
/** Nodes whose status is watched while orders pass through. */
const WATCHED = ['mo-t1-queue', 'mo-t2-read', 'mo-t2-record', 'mo-t2-push', 'mo-t3-push', 'mo-t3-archive'];
/** An order is weighed for 6 s; give up after this (ms). */
const PATIENCE = 90_000;

let browser: Browser;
let installed: Installation;
before(async () => {
  browser = await startChromium();
  installed = await install();
});
after(async () => {
  await browser?.close();
  await installed?.remove();
});

for (const pair of PAIRS.slice(0, 2)) {
  describe(nameOf(pair), () => {
    const pictures = join(PROJECT, 'dist', 'pictures', `node-red-${pair.nodeRed}`);
    const picture = (name: string): string => join(pictures, `${name}.png`);
    const log: string[] = [];
    let copy: Installation;
    let plant: Plant;
    let host: NodeRedHost;
    let editor: Editor;
    let broken = false;

    before(async () => {
      mkdirSync(pictures, { recursive: true });
      copy = await copyOf(installed);
      // A completed batch stays in its slot until the story is told.
      plant = await startPlant({ orders: 6, slots: 6, weighMs: 6_000, keepMs: 600_000, tickMs: 200 });
      const { userDir } = copy;
      host = await startNodeRed({
        ...(await programs(pair)),
        flow: [],
        userDir,
        installed: true,
        onLine: (line) => log.push(line),
      });
      editor = await Editor.open(browser, host.url);
    });
    after(async () => {
      await editor?.page.close();
      await host?.stop();
      await plant?.stop();
      await copy?.remove();
    });
    /** A step of the story: the steps build on each other, and one that fails leaves a picture. */
    const step = (name: string, act: () => Promise<void>): void =>
      void test(name, async () => {
        assert.ok(!broken, 'an earlier step failed');
        try {
          await act();
        } catch (error) {
          broken = true;
          await editor.page.screenshot({ path: picture('failed') });
          throw error;
        }
      });

    step('the palette shows the five nodes with their icons', async () => {
      for (const type of ACTIONS) {
        await editor.inPalette(type).scrollIntoViewIfNeeded();
        assert.ok(await editor.inPalette(type).isVisible(), type);
        assert.deepEqual(await editor.iconSize(type), { width: 40, height: 60 }, type);
      }
    });

    step('the shipped cycle comes from the Examples tab', async () => {
      await editor.importExample(PACKAGE, 'mo-consumption-cycle', 'MO consumption cycle');
      for (const { id, type } of shippedFlow()) {
        if (ACTIONS.some((action) => action === type)) await editor.onCanvas(id).waitFor({ state: 'attached' });
      }
      assert.equal(await editor.page.locator('.red-ui-flow-node-unknown').count(), 0, 'no node type is missing');
    });

    step('every node of the package opens its dialog', async () => {
      const actions = shippedFlow().filter(({ type }) => ACTIONS.some((action) => action === type));
      for (const { id, name } of actions) {
        const dialog = await editor.edit(id);
        assert.equal(await dialog.field('name').inputValue(), name);
        await dialog.save();
      }
    });

    step('odoo-fetch-mo needs an Odoo server, and takes another name', async () => {
      const dialog = await editor.edit('mo-t1-fetch');
      await dialog.field('server').selectOption('_ADD_');
      await dialog.marked('server', true);
      await dialog.field('server').selectOption(IDS.odoo);
      await dialog.marked('server', false);
      await dialog.fill('name', 'confirmed orders');
      await dialog.photograph(picture('odoo-fetch-mo'));
      await dialog.save();
      assert.match((await editor.onCanvas('mo-t1-fetch').textContent()) ?? '', /confirmed\s+orders/);
    });

    step('odoo-server takes address, database and login', async () => {
      const fetch = await editor.edit('mo-t1-fetch');
      const dialog = await fetch.editConfig('server');
      await mend(dialog, 'url', 'odoo.example:8069', /http/, plant.odoo.url);
      await dialog.fill('database', 'odoo14');
      await dialog.fill('user', 'scada');
      await dialog.fill('password', 'wrong');
      const refused = await dialog.ask('odoo-server');
      assert.equal(refused.state, 'bad', refused.text);
      assert.match(refused.text, /check user, password and database/);
      await dialog.fill('password', 'scada');
      const { state, text } = await dialog.ask('odoo-server');
      assert.equal(state, 'good', text);
      assert.match(text, /logged in as scada, Odoo 14\.0\s+SCADA addon .*\s+\d+ confirmed orders/);
      await dialog.photograph(picture('odoo-server'));
      await dialog.save();
      await fetch.save();
    });

    step('silo-map names a code that is used twice', async () => {
      const fetch = await editor.edit('mo-t1-fetch');
      const dialog = await fetch.editConfig('silos');
      const code = editor.page.locator('#node-config-input-silos-container tr').nth(1).locator('.code');
      const problems = editor.page.locator('#silo-map-problems');
      await code.fill('silo101');
      assert.match((await problems.textContent()) ?? '', /silo_b.*silo101.*silo_a/);
      await code.fill('silo102');
      assert.equal(await problems.textContent(), '');
      await dialog.photograph(picture('silo-map'));
      await dialog.save();
      await fetch.save();
    });

    step('silo-map takes further silos, keeps them, and lets them go', async () => {
      const fetch = await editor.edit('mo-t1-fetch');
      const dialog = await fetch.editConfig('silos');
      const rows = editor.page.locator('#node-config-input-silos-container tr');
      const problems = editor.page.locator('#silo-map-problems');
      await editor.page.locator('#silo-map-add').click();
      await rows.last().locator('.tag').fill('Bin 16');
      assert.match((await problems.textContent()) ?? '', /"Bin 16": a tag begins.*Bin 16: enter the equipment code/s);
      await rows.last().locator('.tag').fill('bin_16');
      await rows.last().locator('.code').fill('B-16');
      await rows.last().locator('.label').fill('Lysine');
      await editor.page.locator('#silo-map-add').click();
      assert.equal(await rows.last().locator('.code').inputValue(), 'B-17');
      await rows.last().locator('button').click();
      assert.equal(await problems.textContent(), '');
      await dialog.save();
      const again = await fetch.editConfig('silos');
      assert.equal(await rows.count(), 16);
      assert.equal(await rows.last().locator('.label').inputValue(), 'Lysine');
      await rows.last().locator('button').click();
      await again.save();
      await fetch.save();
    });

    step('plc-consumption-read names a wrong number of slots', async () => {
      const dialog = await editor.edit('mo-t2-read');
      await mend(dialog, 'slots', '65', /64/, '6');
      await dialog.photograph(picture('plc-consumption-read'));
      await dialog.save();
    });

    step("s7 endpoint, node-red-contrib-s7's own, takes address and port", async () => {
      const read = await editor.edit('mo-t2-read');
      const dialog = await read.editConfig('endpoint');
      await dialog.fill('address', '');
      await dialog.marked('address', true);
      await dialog.fill('address', '127.0.0.1');
      await dialog.fill('port', String(plant.plc.port));
      await dialog.marked('address', false);
      await dialog.save();
      await read.save();
    });

    step('"Read now" shows the decoded slots before anything is deployed', async () => {
      const dialog = await editor.edit('mo-t2-read');
      const { state, text } = await dialog.ask('plc-consumption-read');
      assert.equal(state, 'good', text);
      assert.match(text, /6 batches, 0 rejected, 0 empty slots/);
      const rows = editor.page.locator('#plc-consumption-read-result tr');
      assert.equal(await rows.count(), 7);
      assert.match((await rows.nth(1).textContent()) ?? '', /^1WH\/MO\/\d+/);
      await editor.page.locator('#plc-consumption-read-result').scrollIntoViewIfNeeded();
      await dialog.photograph(picture('read-now'));
      await dialog.save();
    });

    step('mo-batch-store marks a limit of 0', async () => {
      const dialog = await editor.edit('mo-t1-queue');
      await dialog.fill('limit', '0');
      await dialog.marked('limit', true);
      await dialog.fill('limit', '6');
      await dialog.marked('limit', false);
      await dialog.photograph(picture('mo-batch-store'));
      await dialog.save();
    });

    step('mo-database names a port that does not exist', async () => {
      const store = await editor.edit('mo-t1-queue');
      const dialog = await store.editConfig('database');
      await mend(dialog, 'port', '70000', /65535/, '');
      await dialog.photograph(picture('mo-database'));
      await dialog.save();
      await store.save();
    });

    step('odoo-push-consumption names a share above 100 %', async () => {
      const dialog = await editor.edit('mo-t3-push');
      await mend(dialog, 'minFinishedShare', '101', /100/, '90');
      await dialog.photograph(picture('odoo-push-consumption'));
      await dialog.save();
    });

    step('history-archive wants a note for a failed order', async () => {
      const dialog = await editor.edit('mo-t3-archive');
      await dialog.field('operation').selectOption('failed');
      await dialog.fill('note', 'stopped by hand');
      await dialog.marked('note', false);
      await dialog.fill('note', '');
      await dialog.marked('note', true);
      await dialog.field('operation').selectOption('completed');
      await dialog.photograph(picture('history-archive'));
      await dialog.save();
    });

    step("the timers' intervals are changed in their inject nodes", async () => {
      for (const [id, seconds] of [
        [IDS.timers.push, 2],
        [IDS.timers.archive, 3],
      ] as const) {
        const dialog = await editor.edit(id);
        await editor.page.locator('#inject-time-interval-count').fill(String(seconds));
        await editor.page.locator('#inject-time-interval-units').selectOption('s');
        await dialog.save();
      }
    });

    step('after the deploy, statuses change and an order reaches the history', async () => {
      await editor.deploy();
      const shown = new Map(WATCHED.map((id) => [id, new Set<string>()]));
      const pgp = pgPromise({ noWarnings: true });
      const until = Date.now() + PATIENCE;
      while (!/^(?!0 ).*archived/.test(await editor.status('mo-t3-archive'))) {
        assert.ok(Date.now() < until, `nothing was archived; Node-RED said:\n${log.slice(-30).join('\n')}`);
        for (const [id, texts] of shown) texts.add(await editor.status(id));
        await delay(200);
      }
      for (const [id, texts] of shown) texts.add(await editor.status(id));
      await editor.photographFlow(picture('flow'));
      const db = pgp(await host.database(IDS.database));
      try {
        const { archived, differences } = await account(db, plant);
        assert.ok(archived > 0, 'an order is in mo_histories');
        assert.deepEqual(differences, []);
      } finally {
        await db.$pool.end();
      }
      for (const [id, texts] of shown) {
        assert.ok(
          [...texts].some((text) => text !== ''),
          `${id} shows a status`,
        );
      }
      assert.ok((shown.get('mo-t2-push')?.size ?? 0) > 2, 'the status of the push changes');
    });

    step('the dialog of mo-database tells where the database runs', async () => {
      const store = await editor.edit('mo-t1-queue');
      const dialog = await store.editConfig('database');
      const { port } = await host.database(IDS.database);
      await editor.page.locator('#mo-database-connection', { hasText: String(port) }).waitFor();
      const { state, text } = await dialog.ask('mo-database');
      assert.equal(state, 'good', text);
      assert.match(text, /PostgreSQL 18.*\s+schema \d+ in place\s+queue \d+/);
      await dialog.save();
      await store.save();
    });

    step('the console of the browser holds no error', async () => {
      assert.deepEqual(editor.complaints, []);
      return Promise.resolve();
    });
  });
}
