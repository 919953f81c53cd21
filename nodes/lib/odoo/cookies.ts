/**
 * The cookies of one host, given back as a browser does (RFC 6265): a load balancer finds the Odoo of a session by them.
 * Only as long as the process lives, and never of or for another host.
 */
interface Cookie {
  name: string;
  value: string;
  path: string;
  secure: boolean;
  /** When it ends, by the clock of this process (performance.now(), ms). */
  until: number;
}

/** What browsers keep of one host (RFC 6265, 6.1): a server that sends more is broken. */
const MOST_COOKIES = 50;
const LONGEST_COOKIE = 4096;

export class CookieJar {
  readonly #now: () => number;
  readonly #cookies = new Map<string, Cookie>();

  /** @param now a clock that nobody sets (ms) */
  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * @param lines the answer's Set-Cookie headers
   * @param url that was asked
   * @param date the answer's Date header: what "Expires" is measured by, instead of this machine's clock
   */
  store(lines: readonly string[], url: URL, date?: string): void {
    for (const line of lines) {
      const cookie = this.#parse(line, url, date);
      if (!cookie) continue;
      const key = `${cookie.name};${cookie.path}`;
      this.#cookies.delete(key);
      if (cookie.until > this.#now()) this.#cookies.set(key, cookie);
      const [oldest] = this.#cookies.keys();
      if (oldest !== undefined && this.#cookies.size > MOST_COOKIES) this.#cookies.delete(oldest);
    }
  }

  /** What goes into the Cookie header of a request, the longest path first. */
  for({ protocol, pathname }: URL): string[] {
    for (const [key, { until }] of this.#cookies) if (until <= this.#now()) this.#cookies.delete(key);
    return [...this.#cookies.values()]
      .filter(({ secure, path }) => (!secure || protocol === 'https:') && isBelow(pathname, path))
      .sort((a, b) => b.path.length - a.path.length)
      .map(({ name, value }) => `${name}=${value}`);
  }

  #parse(line: string, { protocol, hostname, pathname }: URL, date?: string): Cookie | undefined {
    const [pair = '', ...rest] = line.split(';');
    const [, name, value = ''] = /^\s*([^\s=]+)\s*=\s*(.*?)\s*$/.exec(pair) ?? [];
    if (!name || pair.length > LONGEST_COOKIE) return undefined;
    const attributes = new Map(
      rest.map((part): [string, string] => {
        const [, key = '', said = ''] = /^\s*([^=]*?)\s*(?:=\s*(.*?)\s*)?$/.exec(part) ?? [];
        return [key.toLowerCase(), said];
      }),
    );
    const domain = attributes.get('domain')?.replace(/^\./, '').toLowerCase();
    if (domain && hostname !== domain && !hostname.endsWith(`.${domain}`)) return undefined;
    const secure = attributes.has('secure');
    if (secure && protocol !== 'https:') return undefined;
    const path = attributes.get('path');
    return {
      ...{ name, value, secure },
      path: path?.startsWith('/') ? path : pathname.replace(/\/[^/]*$/, '') || '/',
      until: this.#now() + lifetime(attributes, date),
    };
  }
}

/** How long a cookie lives (ms); one without an end lives as long as the process. */
function lifetime(attributes: ReadonlyMap<string, string>, date: string | undefined): number {
  const seconds = attributes.get('max-age');
  if (seconds !== undefined && /^-?\d+$/.test(seconds)) return Number(seconds) * 1000;
  const end = Date.parse(attributes.get('expires')?.replace(/(\d)-(\w{3})-(\d)/, '$1 $2 $3') ?? '');
  if (Number.isNaN(end)) return Infinity;
  const began = Date.parse(date ?? '');
  return end - (Number.isNaN(began) ? Date.now() : began);
}

const isBelow = (pathname: string, path: string): boolean =>
  pathname === path || pathname.startsWith(path.endsWith('/') ? path : `${path}/`);
