/**
 * An engineer with a slot record of the plant's own, which no preset knows: the source of the data block is pasted, its members
 * become fields, the values are seen live, and the first batch comes to the history. On each supported Node-RED.
 */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import { demoFlow } from '../../examples/plant/demo-flow';
import { startNodeRed, type NodeRedHost } from '../../examples/plant/node-red-host';
import { startSimulatedOdoo, type OrderView, type SimulatedOdoo } from '../../examples/plant/odoo/simulated-odoo';
import { startS7Server, type S7Server } from '../../examples/plant/plc/s7-server';
import { copyOf, install, nameOf, PAIRS, programs, PROJECT, type Installation } from '../support/installation';
import { Dialog, Editor, startChromium } from './editor';

const DB = 42;
const FIRST = 2;
const STRIDE = 148;
/** Bytes of a Charge: STRING[20] at 0, bits at 22, fifteen scales of two REALs from 24, REAL at 144. */
const SOURCE = `TYPE "UDT_Charge"
VERSION : 0.1
   STRUCT
      AuftragsNr : String[20];
      Fertig : Bool;
      Läuft : Bool;
      Waage : Array[1..15] of Struct
         SollGewicht : Real;
         IstGewicht : Real;
      END_STRUCT;
      GesamtGewicht : Real;   // kg
   END_STRUCT;
END_TYPE

DATA_BLOCK DB ${DB}
{ S7_Optimized_Access := 'FALSE' }
VERSION : 0.1
   STRUCT
      Anzahl : Int;
      Charge : Array[1..3] of "UDT_Charge";
   END_STRUCT;
BEGIN
END_DATA_BLOCK
`;
/** Give up waiting for the first batch after this (ms). */
const PATIENCE = 60_000;
const TYPE = 'plc-consumption-read';
/** Node-RED 5.0.7 itself: after a minute its editor wants to show a tip (infotips) in a side bar that it no longer has. */
const TIP_WITHOUT_PLACE = /reading 'html'\)\n\s+at \w+ \(\S+\/red\/red\.min\.js/;

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

/** Weighs an order in the first Charge: exactly its plan. */
function weigh(plc: S7Server, { name, quantity, moves }: OrderView, complete: boolean): void {
  const slot = plc.memory(DB).subarray(FIRST, FIRST + STRIDE);
  slot.fill(0);
  slot[0] = 20;
  slot[1] = slot.write(name, 2, 'latin1');
  for (const { code, plan } of moves) {
    const scale = Number(code?.slice(-3) ?? 0) - 101;
    if (scale >= 0 && scale < 15) slot.writeFloatBE(slot.readFloatBE(28 + scale * 8) + plan, 28 + scale * 8);
  }
  slot.writeFloatBE(quantity, 144);
  slot[22] = complete ? 0b01 : 0b10;
}

for (const pair of PAIRS.slice(0, 2)) {
  describe(`a record of the plant's own: ${nameOf(pair)}`, () => {
    const pictures = join(PROJECT, 'dist', 'pictures', `node-red-${pair.nodeRed}`);
    const log: string[] = [];
    let copy: Installation;
    let odoo: SimulatedOdoo;
    let plc: S7Server;
    let host: NodeRedHost;
    let editor: Editor;

    before(async () => {
      mkdirSync(pictures, { recursive: true });
      copy = await copyOf(installed);
      odoo = await startSimulatedOdoo({ port: 0 });
      odoo.createOrder({ quantity: 2500 });
      plc = await startS7Server({ dbs: { [DB]: FIRST + 3 * STRIDE } });
      // As it is deployed first, it reads a PLC that is not there.
      const { flow, credentials } = demoFlow({ plc: { ...plc, port: 1 }, odoo }, { fetch: 2, push: 2, archive: 3 });
      host = await startNodeRed({
        ...(await programs(pair)),
        flow,
        credentials,
        userDir: copy.userDir,
        installed: true,
        onLine: (line) => log.push(line),
      });
      editor = await Editor.open(browser, host.url);
    });
    after(async () => {
      await editor?.page.close();
      await host?.stop();
      await plc?.stop();
      await odoo?.stop();
      await copy?.remove();
    });

    test('paste a source, map, Read now, live values, deploy, first batch archived', async () => {
      try {
        await tellStory();
      } catch (error) {
        await editor.page.screenshot({ path: join(pictures, 'own-record-failed.png') });
        throw error;
      }
    });

    async function tellStory(): Promise<void> {
      const { page } = editor;
      const box = (name: string) => page.locator(`#${TYPE}-${name}`);
      const order = odoo.orders()[0]!;
      weigh(plc, order, false);
      const dialog = await editor.edit('mo-t2-read');

      // A new endpoint without variables is no fault of this node.
      await dialog.field('endpoint').selectOption('_ADD_');
      const endpoint = await Dialog.of(page, 'node-config', () => page.locator('#node-input-btn-endpoint-add').click());
      await endpoint.fill('address', '127.0.0.1');
      await endpoint.fill('port', String(plc.port));
      await endpoint.save();
      await dialog.marked('endpoint', false);

      await box('paste-button').click();
      await box('paste-source').fill(SOURCE.replace("'FALSE'", "'TRUE'"));
      assert.match((await box('paste-problem').textContent()) ?? '', /optimized access/i);
      await box('paste-source').fill(SOURCE);
      assert.match(await box('paste-array').locator('option').first().innerText(), /^Charge: 3 slots of 148 bytes/);
      const member = (path: string) =>
        box('paste-members')
          .locator('tr', { has: page.locator('td', { hasText: new RegExp(`^${path}$`) }) })
          .locator('select');
      assert.equal(await member('AuftragsNr').inputValue(), 'mo_id');
      assert.equal(await member('Läuft').inputValue(), 'status_operation');
      assert.equal(await member('Waage\\[1\\]\\.IstGewicht').inputValue(), 'silo_a');
      assert.equal(await member('Waage\\[1\\]\\.SollGewicht').inputValue(), '');
      // What is proposed may be chosen otherwise: a field is one member.
      await member('GesamtGewicht').selectOption('silo_a');
      assert.equal(await member('Waage\\[1\\]\\.IstGewicht').inputValue(), '');
      await member('Waage\\[1\\]\\.IstGewicht').selectOption('silo_a');
      await member('GesamtGewicht').selectOption('actual_weight_quantity_finished_goods');
      await page
        .locator('.red-ui-tray')
        .last()
        .screenshot({ path: join(pictures, 'paste-block.png') });
      await box('paste-apply').click();

      for (const [key, value] of Object.entries({ db: DB, base: FIRST, stride: STRIDE, slots: 3 }))
        assert.equal(await dialog.field(key).inputValue(), String(value), key);
      assert.equal(await box('problems').textContent(), '');
      const rows = page.locator('#node-input-fields-container > li');
      assert.equal(await rows.count(), 19);
      const [first, last] = [await rows.first().boundingBox(), await rows.last().boundingBox()];
      const list = await page.locator('#node-input-fields-container').boundingBox();
      assert.ok(first && last && list && last.y + last.height <= list.y + list.height + 1, 'all rows are shown');

      const live = rows.nth(0).locator('.live');
      await live.locator('b', { hasText: order.name }).waitFor();
      assert.match(await live.locator('code').innerText(), /^14 0B 57 48 2F/);
      const complete = rows.nth(1).locator('.live b');
      assert.equal(await complete.textContent(), '0');
      assert.match(
        await rows.nth(1).locator('.field option:checked').innerText(),
        /batch complete.*status_manufacturing/,
      );
      const { state, text } = await dialog.ask(TYPE);
      assert.equal(state, 'good', text);
      assert.match(text, /1 batches, 0 rejected, 2 empty slots/);
      weigh(plc, order, true);
      await complete.filter({ hasText: '1' }).waitFor();
      await page
        .locator('.red-ui-tray')
        .last()
        .screenshot({ path: join(pictures, 'live-values.png') });
      await dialog.save();

      await quietPlc();
      // To node-red-contrib-s7 itself an endpoint without variables is not valid: Node-RED asks, and takes it.
      await page.click('#red-ui-header-button-deploy');
      await page.getByRole('button', { name: 'Confirm deploy' }).click();
      await page.locator('.red-ui-notification-success').first().waitFor();
      const until = Date.now() + PATIENCE;
      while (!/^1 .*archived/.test(await editor.status('mo-t3-archive')) && odoo.order(order.name).state !== 'done') {
        assert.ok(Date.now() < until, `nothing was archived; Node-RED said:\n${log.slice(-30).join('\n')}`);
        await delay(200);
      }
      await page
        .locator(`[id="mo-t3-archive"] .red-ui-flow-node-status-label`, { hasText: /archived/ })
        .waitFor({ timeout: PATIENCE });
      assert.equal(odoo.order(order.name).state, 'done');
      const complaints = editor.complaints.filter((text) => !TIP_WITHOUT_PLACE.test(text));
      assert.deepEqual(complaints, []);
    }

    /** A closed dialog asks the PLC nothing; the flow that runs still reads by its old address. */
    async function quietPlc(): Promise<void> {
      await delay(1_500);
      const { reads } = plc.counters;
      await delay(4_000);
      assert.equal(plc.counters.reads, reads, 'nobody asks for live values any more');
    }
  });
}
