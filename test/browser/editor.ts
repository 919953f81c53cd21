/** The Node-RED editor in a headless Chromium, by what a person clicks. The selectors are those of Node-RED 4.1 and 5. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { chromium, type Browser, type Locator, type Page } from 'playwright-core';

/** The palette manager's list of all modules: the one thing the editor asks of the outside, at every load. */
const CATALOGUE = 'https://catalogue.nodered.org/catalogue.json';
const CHROMIUMS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
/** No field takes longer to appear (ms); two cores may be busy with a PostgreSQL and two Node-REDs. */
const PATIENCE = 30_000;

/** @throws Error that says what to install when there is no Chromium; CHROMIUM names one elsewhere */
export async function startChromium(): Promise<Browser> {
  const named = process.env.CHROMIUM;
  const executablePath = (named === undefined ? CHROMIUMS : [named]).find((path) => existsSync(path));
  if (executablePath === undefined) {
    throw new Error(
      `No Chromium at ${named ?? CHROMIUMS.join(' or ')}. Install it ('apt-get install chromium' on Debian), ` +
        'or set CHROMIUM to the path of a Chromium or Chrome.',
    );
  }
  // Its sandbox does not start as root or in a container.
  return chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  });
}

export class Editor {
  /** What a person would find in the browser's console, and requests that left this machine. */
  readonly complaints: string[] = [];

  private constructor(readonly page: Page) {
    page.setDefaultTimeout(PATIENCE);
    page.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(`${message.text()} (${message.location().url})`);
    });
    page.on('pageerror', (error) => this.complaints.push(error.stack ?? error.message));
  }

  /** Opens a Node-RED's editor. @param url e.g. http://127.0.0.1:1880 */
  static async open(browser: Browser, url: string): Promise<Editor> {
    const page = await browser.newPage({ viewport: { width: 1600, height: 1000 }, deviceScaleFactor: 1.25 });
    const editor = new Editor(page);
    await page.route(
      (asked) => asked.protocol.startsWith('http') && asked.origin !== url,
      async (route) => {
        const asked = route.request().url();
        if (asked.startsWith(CATALOGUE)) return route.fulfill({ json: { name: 'none', modules: [] } });
        editor.complaints.push(`asked the outside: ${asked}`);
        return route.abort();
      },
    );
    await page.goto(url);
    await page.locator('.red-ui-palette-node').first().waitFor();
    await page.locator('#red-ui-loading-progress').waitFor({ state: 'hidden' });
    return editor;
  }

  /** A node of the palette. */
  inPalette(type: string): Locator {
    return this.page.locator(`.red-ui-palette-node[data-palette-type="${type}"]`);
  }

  /** Size of a palette node's icon as the browser has decoded it (px); 0 by 0 when it did not load. */
  async iconSize(type: string): Promise<{ width: number; height: number }> {
    const icon = await this.inPalette(type).locator('.red-ui-palette-icon-container').getAttribute('data-palette-icon');
    return this.page.evaluate(`(async () => {
      const image = new Image();
      image.src = ${JSON.stringify(icon)};
      await image.decode().catch(() => undefined);
      return { width: image.naturalWidth, height: image.naturalHeight };
    })()`);
  }

  /** Menu → Import → Examples → the package → the example, and shows its tab. */
  async importExample(packageName: string, example: string, tab: string): Promise<void> {
    const { page } = this;
    await page.click('#red-ui-header-button-sidemenu');
    await page.click('#menu-item-import');
    await page.click('#red-ui-tab-red-ui-clipboard-dialog-import-tab-examples a');
    const entry = (text: string): Locator =>
      page.locator('#red-ui-clipboard-dialog-import-tab-examples .red-ui-treeList-label-text', { hasText: text });
    await entry(packageName).click();
    const ok = page.locator('#red-ui-clipboard-dialog-ok:not(.ui-state-disabled)');
    // A click while the list still opens is lost, so it is done again until something is chosen.
    for (let tries = 5; tries > 0 && !(await ok.isVisible()); tries -= 1) {
      await entry(example).click();
      await ok.waitFor({ timeout: 3_000 }).catch(() => undefined);
    }
    await ok.click();
    await page.locator('#red-ui-clipboard-dialog-ok').waitFor({ state: 'hidden' });
    await page.locator('#red-ui-workspace-tabs .red-ui-tab-label', { hasText: tab }).click();
    await this.quiet();
  }

  /** Waits until no notification covers a dialog's buttons. */
  async quiet(): Promise<void> {
    for (const note of await this.page.locator('.red-ui-notification').all()) await note.waitFor({ state: 'hidden' });
  }

  /** A node on the canvas. */
  onCanvas(id: string): Locator {
    return this.page.locator(`[id="${id}"]`);
  }

  /** Text under a node on the canvas; '' without one. */
  async status(id: string): Promise<string> {
    const label = this.onCanvas(id).locator('.red-ui-flow-node-status-label');
    return (await label.count()) === 0 ? '' : ((await label.textContent()) ?? '');
  }

  /** Opens the edit dialog of a node on the canvas. */
  async edit(id: string): Promise<Dialog> {
    // What its double click does; a node may lie outside what the canvas shows.
    await this.page.evaluate(`RED.view.reveal(${JSON.stringify(id)}, false)`);
    return Dialog.of(this.page, 'node', () => this.onCanvas(id).dblclick());
  }

  async deploy(): Promise<void> {
    await this.page.click('#red-ui-header-button-deploy');
    await this.page.locator('.red-ui-notification-success').first().waitFor();
    await this.quiet();
  }

  /** The whole of the shown tab, without what surrounds it and without the grid, as a PNG file. */
  async photographFlow(path: string): Promise<void> {
    const { page } = this;
    const margin = 10;
    /** What holds every group and node on the canvas (px of the window). */
    const bounds = async (): Promise<{ x: number; y: number; width: number; height: number }> => {
      await page.evaluate(`document.getElementById('red-ui-workspace-chart').scrollTo(0, 0)`);
      const drawn = await page
        .locator('#red-ui-workspace-chart')
        .locator('.red-ui-flow-group-body, .red-ui-flow-node')
        .all();
      const boxes = (await Promise.all(drawn.map((each) => each.boundingBox()))).filter((box) => box !== null);
      const x = Math.min(...boxes.map((box) => box.x)) - margin;
      const y = Math.min(...boxes.map((box) => box.y)) - margin;
      const right = Math.max(...boxes.map((box) => box.x + box.width));
      const bottom = Math.max(...boxes.map((box) => box.y + box.height));
      return { x, y, width: right - x + margin, height: bottom - y + margin };
    };
    await page.addStyleTag({ content: '.red-ui-workspace-chart-grid { display: none }' });
    await page.evaluate('RED.view.select({ nodes: [] })');
    await page.mouse.move(0, 0);
    const before = page.viewportSize();
    const seen = await bounds();
    // Room for the flow, the side bars and the status lines below the lowest nodes.
    await page.setViewportSize({
      width: Math.ceil(seen.x + seen.width) + 500,
      height: Math.ceil(seen.y + seen.height) + 200,
    });
    await page.screenshot({ path, clip: await bounds() });
    if (before) await page.setViewportSize(before);
  }
}

/** An open edit dialog: of a node, or of a config node on top of it. */
export class Dialog {
  /** What was typed last, by property. */
  readonly #entered = new Map<string, string>();

  private constructor(
    readonly page: Page,
    private readonly prefix: 'node-input' | 'node-config-input',
    readonly ok: Locator,
  ) {}

  /** @param open opens it; a click while another tray slides is lost, so it is done again until the dialog is there */
  static async of(page: Page, kind: 'node' | 'node-config', open: () => Promise<unknown>): Promise<Dialog> {
    const ok = page.locator(`#${kind}-dialog-ok`);
    for (let tries = 5; tries > 0 && !(await ok.isVisible()); tries -= 1) {
      await open();
      await ok.waitFor({ timeout: 3_000 }).catch(() => undefined);
    }
    await ok.waitFor();
    // A tray slides in: its fields take no input before it has arrived.
    await page.locator('.red-ui-tray-sliding, .red-ui-tray.ui-resizable-resizing').waitFor({ state: 'detached' });
    return new Dialog(page, `${kind}-input`, ok);
  }

  field(property: string): Locator {
    return this.page.locator(`#${this.prefix}-${property}`);
  }

  /** The visible box of a typed input. */
  typed(property: string): Locator {
    return this.page.locator(`#${this.prefix}-${property} + .red-ui-typedInput-container`);
  }

  /** Where a property is typed. */
  private async box(property: string): Promise<Locator> {
    const typed = this.typed(property);
    return (await typed.count()) > 0 ? typed.locator('input.red-ui-typedInput-input') : this.field(property);
  }

  async fill(property: string, value: string): Promise<void> {
    const field = await this.box(property);
    this.#entered.set(property, value);
    await field.fill(value);
    // The editor validates when a key is let go.
    await field.press('End');
  }

  /** The message that the editor shows over a field that it marks as wrong. */
  async problem(property: string): Promise<string> {
    const popover = this.page.locator('.red-ui-popover').last();
    // The editor hangs the message on the field a moment after it marks it: a mouse that is there already shows nothing.
    for (let tries = 10; tries > 0 && !(await popover.isVisible()); tries -= 1) {
      await this.page.mouse.move(0, 0);
      await this.page.locator(`#${this.prefix}-${property}.input-error`).hover();
      await popover.waitFor({ timeout: 1_500 }).catch(() => undefined);
    }
    await popover.waitFor();
    return (await popover.textContent()) ?? '';
  }

  /** Waits until the editor marks a field as wrong, or no longer does. A typed input is marked at its visible box. */
  async marked(property: string, wrong: boolean): Promise<void> {
    const typed = (await this.typed(property).count()) > 0 ? ' + .red-ui-typedInput-container' : '';
    const mark = wrong ? '.input-error' : ':not(.input-error)';
    const marked = this.page.locator(`#${this.prefix}-${property}${typed}${mark}`);
    const entered = this.#entered.get(property);
    // A dialog that puts in what is saved a moment after it can be clicked takes back what was typed: it is typed again.
    for (let tries = 5; tries > 0 && !(await marked.isVisible()); tries -= 1) {
      await marked.waitFor({ timeout: 3_000 }).catch(() => undefined);
      if (entered !== undefined && (await (await this.box(property)).inputValue()) !== entered)
        await this.fill(property, entered);
    }
    await marked.waitFor();
  }

  /** Presses "Test connection" or "Read now". @returns how it ended, and all that it shows */
  async ask(type: string): Promise<{ state: string; text: string }> {
    await this.page.click(`#${type}-test`);
    const result = this.page.locator(`#${type}-result.good, #${type}-result.bad`);
    await result.waitFor();
    return { state: (await result.getAttribute('class')) ?? '', text: await result.innerText() };
  }

  /** Opens the config node that a property refers to. */
  async editConfig(property: string): Promise<Dialog> {
    const button = this.page.locator(`#${this.prefix}-btn-${property}-edit`);
    return Dialog.of(this.page, 'node-config', () => button.click());
  }

  /** Presses Done, or Update in a config node. */
  async save(): Promise<void> {
    await this.ok.click();
    await this.ok.waitFor({ state: 'detached' });
  }

  /** The dialog as a PNG file. */
  async photograph(path: string): Promise<void> {
    await this.page.mouse.move(0, 0);
    await this.page.locator('.red-ui-tray').last().screenshot({ path });
  }
}

/** Asserts that the editor marks a field, says why, and takes the mark away when the value is mended. */
export async function mend(
  dialog: Dialog,
  property: string,
  wrong: string,
  message: RegExp,
  right: string,
): Promise<void> {
  await dialog.fill(property, wrong);
  assert.match(await dialog.problem(property), message);
  await dialog.fill(property, right);
  await dialog.marked(property, false);
}
