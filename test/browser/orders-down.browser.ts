/**
 * An engineer lets orders down to the PLC: the node is dragged onto the canvas, the preset chosen, and orders are handed over,
 * taken by the PLC program, and withdrawn. On each supported Node-RED.
 */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import { demoFlow } from '../../examples/plant/demo-flow';
import { startNodeRed, type FlowNode, type NodeRedHost } from '../../examples/plant/node-red-host';
import { startSimulatedOdoo, type SimulatedOdoo } from '../../examples/plant/odoo/simulated-odoo';
import { startS7Server, type S7Server } from '../../examples/plant/plc/s7-server';
import { ORDER_PRESETS } from '../../nodes/lib/plc/order-layout';
import { copyOf, install, nameOf, PAIRS, programs, PROJECT, type Installation } from '../support/installation';
import { ORDER_DB, OrderMemory } from '../support/order-memory';
import { Editor, startChromium } from './editor';

const TYPE = 'plc-order-write';
/** Give up waiting for Node-RED to have done something after this (ms). */
const PATIENCE = 60_000;
/** Node-RED 5.0.7 itself: see own-record.browser.ts. */
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

/** A tab with two buttons, and the node that withdraws: the one that hands over is dragged in by the test. */
const inject = (id: string, name: string, y: number, props: object[]): FlowNode => ({
  ...{ id, type: 'inject', z: 'try', name, props, repeat: '', once: false, onceDelay: '0.1', x: 140, y, wires: [[]] },
});
const tryOut = (second: string): FlowNode[] => [
  { id: 'try', type: 'tab', label: 'Orders down' },
  inject('try-go', 'hand over', 100, [{ p: 'payload' }]),
  { ...inject('try-name', 'take it back', 200, [{ p: 'mo_id', v: second, vt: 'str' }]), wires: [['try-back']] },
  { id: 'try-back', type: TYPE, z: 'try', operation: 'withdraw', database: 'mo-db', x: 340, y: 200, wires: [[], []] },
];

for (const pair of PAIRS.slice(0, 2)) {
  describe(`orders down: ${nameOf(pair)}`, () => {
    const pictures = join(PROJECT, 'dist', 'pictures', `node-red-${pair.nodeRed}`);
    const log: string[] = [];
    let copy: Installation;
    let odoo: SimulatedOdoo;
    let plc: S7Server;
    let host: NodeRedHost;
    let editor: Editor;
    let names: string[];

    before(async () => {
      mkdirSync(pictures, { recursive: true });
      copy = await copyOf(installed);
      odoo = await startSimulatedOdoo({ port: 0 });
      names = [1, 2].map(() => odoo.createOrder({ quantity: 2500 }).name);
      plc = await startS7Server({ dbs: { 100: 2000, [ORDER_DB]: 2000 } });
      const { flow, credentials } = demoFlow({ plc, odoo }, { fetch: 2, push: 60, archive: 60 });
      host = await startNodeRed({
        ...(await programs(pair)),
        flow: [...flow.filter(({ g }) => g !== 'mo-g6'), ...tryOut(names[1]!)],
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

    /** Node-RED has said it. */
    async function said(what: RegExp): Promise<void> {
      const until = Date.now() + PATIENCE;
      while (!log.some((line) => what.test(line))) {
        assert.ok(Date.now() < until, `Node-RED did not say ${what}:\n${log.slice(-30).join('\n')}`);
        await delay(100);
      }
    }

    test('drag the node, choose the preset, hand over, see it taken, withdraw one', async () => {
      try {
        await tellStory();
      } catch (error) {
        await editor.page.screenshot({ path: join(pictures, 'orders-down-failed.png') });
        throw error;
      }
    });

    async function tellStory(): Promise<void> {
      const { page } = editor;
      const press = (id: string): Promise<void> => page.locator(`[id="${id}"] .red-ui-flow-node-button-button`).click();
      await page.locator('#red-ui-workspace-tabs .red-ui-tab-label', { hasText: 'Orders down' }).click();
      const id = await dragIn();
      const dialog = await editor.edit(id);
      await dialog.field('database').selectOption('mo-db');
      await dialog.field('endpoint').selectOption('mo-plc');
      await dialog.field('silos').selectOption('mo-silos');
      await page.locator(`.${TYPE}-form [data-preset="packed"]`).click();
      assert.equal(await dialog.field('stride').inputValue(), '200');
      const rows = page.locator('#node-input-fields-container > li');
      assert.equal(await rows.count(), ORDER_PRESETS['packed words'].fields.length);

      // Nobody could know what the PLC has: the dialog refuses.
      const problems = page.locator(`#${TYPE}-problems`);
      assert.equal(await problems.textContent(), '');
      await page.evaluate(`$('#node-input-fields-container > li').filter(function () {
        return $(this).find('.field').val() === 'taken' }).find('.red-ui-editableList-item-remove').trigger('click')`);
      await problems.filter({ hasText: 'nobody could know what the PLC has taken' }).waitFor();
      await page.locator(`.${TYPE}-form [data-preset="packed"]`).click();
      await dialog.fill('slots', '5');
      const { state, text } = await dialog.ask(TYPE);
      assert.equal(state, 'good', text);
      assert.match(text, /5 slots, 5 free/);
      await dialog.photograph(join(pictures, 'orders-down-dialog.png'));
      await dialog.save();
      await page.evaluate(`(() => {
        const node = RED.nodes.node(${JSON.stringify(id)});
        for (const from of ['try-go', 'try-back']) RED.nodes.addLink({ source: RED.nodes.node(from), sourcePort: 0, target: node });
        RED.nodes.dirty(true);
        RED.view.redraw(true);
      })()`);
      await editor.deploy();

      const memory = new OrderMemory(plc.memory(ORDER_DB), ORDER_PRESETS['packed words']);

      const shows = async (what: RegExp): Promise<void> => {
        const until = Date.now() + PATIENCE;
        while (!what.test(await editor.status(id))) {
          assert.ok(
            Date.now() < until,
            `shows ${await editor.status(id)}, not ${what}; said:\n${log.slice(-20).join('\n')}`,
          );
          await press('try-go');
          await delay(1_500);
        }
      };
      await shows(/^2 offered, 3 free/);
      assert.deepEqual(
        [1, 2].map((slot) => [memory.slot(slot).number, memory.slot(slot).ready]),
        names.map((name) => [name, true]),
      );
      memory.take(1);
      await shows(/^1 offered, 4 free/);
      await said(new RegExp(`MO ${names[0]}: taken by the PLC from order slot 1`));
      await press('try-name');
      await said(new RegExp(`MO ${names[1]}: withdrawn from order slot 2`));
      await shows(/^0 offered, 5 free/);
      assert.deepEqual(
        [1, 2].map((slot) => memory.slot(slot).number),
        ['', ''],
      );
      await page.screenshot({ path: join(pictures, 'orders-down.png') });
      const complaints = editor.complaints.filter((each) => !TIP_WITHOUT_PLACE.test(each));
      assert.deepEqual(complaints, []);
    }

    /** Drags the node from the palette onto the canvas. @returns its id */
    async function dragIn(): Promise<string> {
      const { page } = editor;
      const item = editor.inPalette(TYPE);
      await item.scrollIntoViewIfNeeded();
      const [from, canvas] = [await item.boundingBox(), await page.locator('#red-ui-workspace-chart').boundingBox()];
      assert.ok(from && canvas);
      await page.mouse.move(from.x + from.width / 2, from.y + from.height / 2);
      await page.mouse.down();
      await page.mouse.move(canvas.x + 300, canvas.y + 60, { steps: 10 });
      await page.mouse.move(canvas.x + 560, canvas.y + 110, { steps: 10 });
      await page.mouse.up();
      const id = await page.evaluate(
        `RED.nodes.filterNodes({ z: 'try', type: '${TYPE}' }).map(({ id }) => id).find((id) => id !== 'try-back')`,
      );
      assert.equal(typeof id, 'string', 'the node lies on the canvas');
      return id as string;
    }
  });
}
