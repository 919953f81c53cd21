/**
 * The page "The plant" as somebody uses it who tries the product: every button is pressed, and every kilogram arrives.
 * Run by `npm run test:browser`; its picture is kept in dist/pictures.
 */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { Browser, Locator, Page } from 'playwright-core';
import { startWatched, type Watched } from '../../examples/plant/watched';
import { PROJECT } from '../support/installation';
import { startChromium } from './editor';

/** What lasts is mended after this (ms): several turns of every task. */
const LASTS = 8000;
/** A killed lease runs out, and a refused login pauses for two minutes: until everything has arrived (ms). */
const PATIENCE = 300_000;
const SCREENS = {
  wall: { width: 1920, height: 1080 },
  laptop: { width: 1366, height: 768 },
  phone: { width: 390, height: 844 },
} as const;

describe('the page "The plant"', () => {
  const pictures = join(PROJECT, 'dist', 'pictures');
  const complaints: string[] = [];
  let watched: Watched;
  let browser: Browser;
  let page: Page;

  before(async () => {
    mkdirSync(pictures, { recursive: true });
    browser = await startChromium();
    watched = await startWatched({
      // As in the demo: a completed batch is kept until it is acknowledged, so that no outage is too long.
      plant: { orders: 12, endless: true, weighMs: 8000, tickMs: 200, ordersDown: {}, acknowledge: true },
      timers: { fetch: 4, push: 2, archive: 2, orders: 2 },
    });
    page = await browser.newPage({ viewport: SCREENS.wall });
    page.setDefaultTimeout(PATIENCE);
    page.on('console', (message) => void (message.type() === 'error' && complaints.push(message.text())));
    page.on('pageerror', (error) => complaints.push(error.stack ?? error.message));
    page.on('request', (request) => {
      if (!request.url().startsWith(watched.page.url)) complaints.push(`asked the outside: ${request.url()}`);
    });
    await page.goto(watched.page.url);
  });
  after(async () => {
    await browser?.close();
    await watched?.stop();
  });

  const press = (code: string): Promise<void> => page.locator(`[data-code="${code}"]`).click();
  const deed = (code: string, outcome: string): Locator =>
    page.locator(`[data-deed="${code}"][data-outcome="${outcome}"]`).first();
  /** Of the archived batches; a killed database is asked again once it is back. */
  const silosAreEqual = (): Promise<void> => page.locator('#verdict[data-differences="0"]').waitFor();

  test('shows slots, silos, queue and Odoo as they are, on every screen, light and dark', async () => {
    await page.locator('#slots [data-phase="weighing"]').first().waitFor();
    await page.locator('#verdict', { hasText: 'archived' }).waitFor();
    assert.equal(await page.locator('#slots li').count(), 10);
    const number = await page.locator('#slots li .number').first().textContent();
    assert.match(String(number), /^WH\/MO\/\d{5}$|^–$/);
    for (const [screen, viewport] of Object.entries(SCREENS))
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.setViewportSize(viewport);
        await page.emulateMedia({ colorScheme });
        const wider = await page.evaluate('document.documentElement.scrollWidth > innerWidth');
        assert.equal(wider, false, `${screen}: nothing is cut at the side`);
        await page.screenshot({ path: join(pictures, `plant-${screen}-${colorScheme}.png`), fullPage: true });
      }
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize(SCREENS.wall);
  });

  for (const code of ['cable', 'stop', 'odoo-down', 'forgets', 'password', 'node-red'])
    test(`${code}: what it befalls arrives once it is mended`, async () => {
      await press(code);
      await deed(code, 'lasting').waitFor();
      await delay(LASTS);
      await press(code);
      await deed(code, 'arrived').waitFor();
      await silosAreEqual();
    });

  for (const code of ['database', 'typed-over'])
    test(`${code}: what it befalls arrives by itself`, async () => {
      await press(code);
      await deed(code, 'arrived').waitFor();
      await silosAreEqual();
    });

  for (const code of ['cancelled', 'mistyped'])
    test(`${code}: a person is asked for by the number that the PLC shows`, async () => {
      while ((await deed(code, 'asks').count()) === 0) {
        if ((await page.locator(`[data-deed="${code}"]`).count()) === 0) await press(code);
        await delay(500);
      }
      assert.match((await deed(code, 'asks').locator('.outcome').textContent()) ?? '', /WH\/MO\/\d{5}/);
      await silosAreEqual();
    });

  test('nothing was complained about in the console, nothing asked of the outside', () => {
    // A button that has nothing to do says so: the browser logs that answer too.
    assert.deepEqual(
      complaints.filter((complaint) => !complaint.includes('409')),
      [],
    );
  });
});
