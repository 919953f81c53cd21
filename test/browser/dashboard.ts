/** The operator dashboard in a headless Chromium, by what a person looks at and presses. */
import type { Browser, Locator, Page } from 'playwright-core';

export const SCREENS = {
  wide: { viewport: { width: 1920, height: 1080 } },
  laptop: { viewport: { width: 1366, height: 768 } },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true },
} as const;

/** Nothing that is waited for takes longer: the longest pause between two tries to reach the PLC is 5 s (ms). */
export const PATIENCE = 60_000;

export class Dashboard {
  /** What a person would find in the browser's console, and requests that left this machine. */
  readonly complaints: string[] = [];

  private constructor(readonly page: Page) {
    page.setDefaultTimeout(PATIENCE);
    page.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(`${message.text()} (${message.location().url})`);
    });
    page.on('pageerror', (error) => this.complaints.push(error.stack ?? error.message));
  }

  /** Opens the page of example 10 as somebody else does: with a session of its own. @param url of Node-RED */
  static async open(
    browser: Browser,
    url: string,
    screen: keyof typeof SCREENS,
    colorScheme: 'light' | 'dark' = 'light',
  ): Promise<Dashboard> {
    const context = await browser.newContext({ ...SCREENS[screen], colorScheme });
    const dashboard = new Dashboard(await context.newPage());
    dashboard.page.on('request', (request) => {
      const asked = request.url();
      if (!/^(data|blob):/.test(asked) && !asked.startsWith(url))
        dashboard.complaints.push(`asked the outside: ${asked}`);
    });
    await dashboard.page.goto(`${url}/dashboard/line`);
    return dashboard;
  }

  get rows(): Locator {
    return this.page.locator('tr[data-order]');
  }

  row(order: string): Locator {
    return this.page.locator(`tr[data-order="${order}"]`);
  }

  /** Waits until the table shows an order in a state. */
  async inState(order: string, state: string): Promise<void> {
    await this.row(order).locator('.mo-state', { hasText: state }).waitFor();
  }

  /** Waits until a light is as it should be. */
  async light(kind: 'odoo' | 'plc' | 'database', state: 'up' | 'down'): Promise<void> {
    await this.page.locator(`.mo-light.${state}[data-kind="${kind}"]`).waitFor();
  }

  /** Chooses an order in the table. */
  async choose(order: string): Promise<void> {
    await this.row(order).click();
    await this.page.locator(`[data-shown="${order}"]`).waitFor();
  }

  button(name: string): Locator {
    return this.page.getByRole('button', { name, exact: true });
  }

  /** Waits for a notification, and closes it. */
  async notice(text: RegExp): Promise<void> {
    await this.page.getByText(text).waitFor();
    await this.button('Close').click();
    await this.page.getByText(text).waitFor({ state: 'hidden' });
  }

  close(): Promise<void> {
    return this.page.context().close();
  }
}
