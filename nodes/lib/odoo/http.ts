/**
 * One request to one Odoo: its limits, its cookies, and the redirects that certainly lead to the same Odoo. Knows no login.
 */
import http from 'node:http';
import https from 'node:https';
import type { ConnectionOptions } from 'node:tls';
import axios, { type AxiosInstance, type AxiosRequestConfig, isAxiosError } from 'axios';
import { onAbort } from '../domain/abort';
import type { Answer } from './answer';
import { CookieJar } from './cookies';
import { Departure } from './departure';

export interface HttpAddress {
  /** http(s)://host[:port][/prefix], as `odooAddress` makes it. */
  url: string;
  /** Limit of one call (ms). */
  timeoutMs: number;
  tls?: ConnectionOptions;
}

/** Longest limit of one call (ms): a lease lasts four of them, and one of hours would be taken for one of another clock. */
export const LONGEST_TIMEOUT = 600_000;

/**
 * The largest answer (bytes, decompressed): ten times what 798 orders in one list took (6 MB). A few MB of gzip can hold
 * hundreds, and would take the memory of everything else that runs in this Node-RED.
 */
const LARGEST_BODY = 64 * 1024 * 1024;

/** How often one request follows a redirect: to https, and once more for a balancer that first hands out its cookie. */
const MOST_REDIRECTS = 3;
/** 303 asks for a GET, which no route here answers. */
const REDIRECTS = [301, 302, 307, 308];

export interface HttpOptions {
  /** The session's. */
  cookie?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal;
  method?: 'GET' | 'POST';
}

/** What came back, and the session that was opened with it. */
export interface Sent {
  answer: Answer;
  cookie?: string;
}

export class OdooHttp {
  readonly timeoutMs: number;
  readonly #http: AxiosInstance;
  readonly #agents: (http.Agent | https.Agent)[];
  /** What a balancer or proxy wants back, besides the session. */
  readonly #jar: CookieJar;
  /** Where Odoo is: as entered, or where a redirect to https on the same host led. */
  #base: string;

  /** @param now a clock that nobody sets (ms) */
  constructor({ url, timeoutMs, tls }: HttpAddress, now: () => number) {
    this.timeoutMs = Math.min(timeoutMs, LONGEST_TIMEOUT);
    this.#jar = new CookieJar(now);
    this.#base = url.replace(/\/+$/, '');
    const httpAgent = new http.Agent({ keepAlive: true });
    const httpsAgent = new https.Agent({ keepAlive: true, ...tls });
    this.#agents = [httpAgent, httpsAgent];
    this.#http = axios.create({
      httpAgent,
      httpsAgent,
      // HTTP_PROXY and its like are for a machine's way out; with http:// such a proxy would read the password.
      proxy: false,
      // Followed here: axios would turn a POST into a GET, and follow to any host.
      maxRedirects: 0,
      maxContentLength: LARGEST_BODY,
      validateStatus: () => true,
      responseType: 'text',
      transformResponse: (body: unknown) => body,
      headers: { 'Content-Type': 'application/json' },
    });
  }

  /** Where Odoo was found in the end, without the user. */
  get url(): string {
    return this.#base;
  }

  close(): void {
    for (const agent of this.#agents) agent.destroy();
  }

  async send(route: string, data: object, options: HttpOptions = {}): Promise<Sent> {
    // axios' own timeout starts again with every byte; this one is the limit of the whole call.
    const limit = new AbortController();
    const end = (): void => limit.abort();
    const timer = setTimeout(end, this.timeoutMs);
    const leave = onAbort(options.signal, end);
    const departure = new Departure();
    const { cookie, headers = {}, method = 'POST' } = options;
    const how = { method, data, signal: limit.signal, transport: departure.transport };
    try {
      return await this.#request(route, how, cookie, headers);
    } catch (error) {
      // axios' own error carries the whole request, password included: only its code and words go on.
      const code = isAxiosError(error) ? (error.code ?? '') : '';
      const said = isAxiosError(error) ? `${code} ${error.message}`.trim() : String(error);
      const gaveUp = options.signal?.aborted ? 'closing' : `no answer within ${this.timeoutMs / 1000} s`;
      return { answer: { kind: 'none', sent: departure.left, problem: limit.signal.aborted ? gaveUp : said } };
    } finally {
      clearTimeout(timer);
      leave();
    }
  }

  /** One request, and what it is redirected to as long as that is the same Odoo. @throws what axios throws */
  async #request(
    route: string,
    how: AxiosRequestConfig,
    session: string | undefined,
    own: Record<string, string>,
  ): Promise<Sent> {
    let url = new URL(this.#base + route);
    for (let redirects = 0; ; redirects += 1) {
      const cookies = [...(session ? [session] : []), ...this.#jar.for(url)].join('; ');
      const sent = { ...how, url: url.href, headers: { ...own, ...(cookies ? { Cookie: cookies } : {}) } };
      const { status, data: body, headers } = await this.#http.request<string>(sent);
      const set = headers['set-cookie'] ?? [];
      const isSession = (line: string): boolean => /^\s*session_id\s*=/.test(line);
      // Only the login's own session counts: others come with errors, for nobody (exchange 332).
      this.#jar.store(
        set.filter((line) => !isSession(line)),
        url,
        text(headers['date']),
      );
      const cookie = /session_id=[^;]+/.exec(set.find(isSession) ?? '')?.[0];
      const location = text(headers['location']);
      const next = REDIRECTS.includes(status) && location ? sameOdoo(url, location, this.#base, route) : undefined;
      if (!next || redirects >= MOST_REDIRECTS) {
        const led = location && status >= 300 && status < 400 ? { location: absolute(location, url) } : {};
        return { answer: { kind: 'answer', status, body: String(body), ...led }, ...(cookie ? { cookie } : {}) };
      }
      this.#base = next.base;
      url = next.url;
    }
  }
}

const text = (header: unknown): string | undefined => (typeof header === 'string' ? header : undefined);

/** An address that a redirect names, without what may be secret in it. */
function absolute(location: string, from: URL): string {
  if (!URL.canParse(location, from.href)) return location;
  const { origin, pathname } = new URL(location, from.href);
  return origin + pathname;
}

/**
 * Where a redirect leads, if that is certainly the same Odoo: from http to https on the same host, or to the very route
 * that was asked (a balancer's cookie, a prefix). Anything else, the login page too, is left for the reader of the answer.
 */
function sameOdoo(from: URL, location: string, base: string, route: string): { base: string; url: URL } | undefined {
  if (!URL.canParse(location, from.href)) return undefined;
  const to = new URL(location, from.href);
  const secured = from.protocol === 'http:' && to.protocol === 'https:' && to.hostname === from.hostname;
  if (to.origin !== from.origin && !secured) return undefined;
  if (to.pathname.endsWith(route)) {
    const prefix = to.pathname.slice(0, -route.length);
    return { base: `${to.origin}${prefix}`, url: new URL(`${to.origin}${to.pathname}${to.search}`) };
  }
  if (!secured) return undefined;
  // A server that sends all of http to its start or login page on https says no more than "https".
  const secure = `${to.origin}${new URL(base).pathname.replace(/\/+$/, '')}`;
  return { base: secure, url: new URL(secure + route) };
}
