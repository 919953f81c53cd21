/**
 * The session with one Odoo: HTTP, one login for all callers, the cookie. Knows no Node-RED.
 */
import http from 'node:http';
import https from 'node:https';
import type { ConnectionOptions } from 'node:tls';
import axios, { type AxiosInstance, type AxiosRequestConfig, isAxiosError } from 'axios';
import { type Answer, isHtml, readEnvelope, readLogin } from './answer';
import { CookieJar } from './cookies';
import { Departure } from './departure';
import { onAbort } from '../domain/abort';
import { type Concluded, concluded } from '../domain/conclusion';

export interface OdooAddress {
  /** http(s)://host[:port][/prefix], as `odooAddress` makes it. */
  url: string;
  database: string;
  user: string;
  password: string;
  /** Limit of one call (ms). */
  timeoutMs: number;
  tls?: ConnectionOptions;
  /** Told after every call whether Odoo could be worked with: '' or what is wrong. */
  observe?: (problem: string) => void;
}

/** After refused credentials: first and longest pause before a login is tried again (ms). Ten failures cost 60 s (404). */
const FIRST_LOGIN_PAUSE = 60_000;
const LONGEST_LOGIN_PAUSE = 30 * 60_000;

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

/** How one call is made. */
export interface CallOptions {
  /** Gives a running call up: an unknown outcome. */
  signal?: AbortSignal;
  /** Awaited right before every request of the call, its repeat after a login included; throwing ends the call. */
  beforeSend?: () => Promise<void>;
  /** POST by default; the addon's version is a GET with a JSON body (exchange 006). */
  method?: 'GET' | 'POST';
}

type Login = Concluded & { cookie?: string };

export class OdooSession {
  readonly #address: OdooAddress;
  readonly #http: AxiosInstance;
  readonly #agents: (http.Agent | https.Agent)[];
  readonly #now: () => number;
  /** What a balancer or proxy wants back, besides the session. */
  readonly #jar: CookieJar;
  /** Where Odoo is: as entered, or where a redirect to https on the same host led. */
  #base: string;
  #cookie: string | undefined;
  #login: Promise<Login> | undefined;
  #refused: { concluded: Concluded; until: number; pause: number } | undefined;

  /**
   * @param now a clock that nobody sets (ms)
   * @throws Error when the address names no database, user or password: such a login is not even tried.
   */
  constructor(address: OdooAddress, now: () => number = () => performance.now()) {
    if (!address.database || !address.user || !address.password) {
      throw new Error('odoo-server: database, user and password are needed to log in to Odoo');
    }
    this.#address = address;
    this.#now = now;
    this.#jar = new CookieJar(now);
    this.#base = address.url.replace(/\/+$/, '');
    const httpAgent = new http.Agent({ keepAlive: true });
    const httpsAgent = new https.Agent({ keepAlive: true, ...address.tls });
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

  get timeoutMs(): number {
    return Math.min(this.#address.timeoutMs, LONGEST_TIMEOUT);
  }

  /** Where Odoo was found in the end, without the user. */
  get url(): string {
    return this.#base;
  }

  /** Which Odoo this is, named alike by every Node-RED that calls it: its address and database. */
  get place(): string {
    const { url, database } = this.#address;
    return `${url.trim().replace(/\/+$/, '').toLowerCase()} ${database}`;
  }

  /** Calls a route under the session; one fresh login and one repeat when the session has ended. */
  async call(route: string, params: object, options: CallOptions = {}): Promise<Answer> {
    const answer = await this.#callUnderSession(route, params, options);
    const { conclusion, reason = '' } = readEnvelope(answer).concluded ?? {};
    const lost = conclusion && ['unavailable', 'session', 'credentials', 'unknown-outcome'].includes(conclusion);
    if (!options.signal?.aborted) this.#address.observe?.(lost ? reason : '');
    return answer;
  }

  async #callUnderSession(route: string, params: object, options: CallOptions): Promise<Answer> {
    const first = await this.#callOnce(route, params, options);
    if (!first.cookie || readEnvelope(first.answer).concluded?.conclusion !== 'session') return first.answer;
    // Another caller may have logged in meanwhile: its session is not thrown away.
    if (this.#cookie === first.cookie) this.#cookie = undefined;
    return (await this.#callOnce(route, params, options)).answer;
  }

  async #callOnce(
    route: string,
    params: object,
    { signal, beforeSend, method }: CallOptions,
  ): Promise<{ answer: Answer; cookie?: string }> {
    const login = await this.#loggedIn();
    if (!login.cookie) return { answer: { kind: 'not-made', concluded: login } };
    await beforeSend?.();
    const { answer } = await this.#send(route, params, login.cookie, signal, method);
    return { answer, cookie: login.cookie };
  }

  close(): void {
    for (const agent of this.#agents) agent.destroy();
  }

  /** One login at a time, shared by all callers; none while refused credentials are cooling down. */
  #loggedIn(): Promise<Login> {
    if (this.#cookie) return Promise.resolve({ ...concluded('confirmed'), cookie: this.#cookie });
    if (this.#refused && this.#refused.until > this.#now()) {
      const seconds = Math.ceil((this.#refused.until - this.#now()) / 1000);
      const { conclusion, reason } = this.#refused.concluded;
      return Promise.resolve(
        concluded(conclusion, `${reason} (next login in ${seconds} s, or when the credentials change)`),
      );
    }
    this.#login ??= this.#authenticate().finally(() => {
      this.#login = undefined;
    });
    return this.#login;
  }

  async #authenticate(): Promise<Login> {
    const { database: db, user: login, password } = this.#address;
    // Never with the old cookie: that would end a session others may still use (exchange 029).
    let { answer, cookie } = await this.#send('/api/scada/authenticate', { db, login, password });
    if (answer.kind === 'answer' && answer.status === 404 && !isHtml(answer.body)) {
      // A server with several databases knows the addon's routes only once a session has one (exchanges 318-320).
      ({ answer, cookie } = await this.#send('/web/session/authenticate', { db, login, password }));
    }
    const result = readLogin(answer);
    if (result.conclusion === 'confirmed') {
      if (!cookie)
        return concluded('unavailable', 'Odoo accepted the login, but set no session cookie: check the proxy');
      this.#refused = undefined;
      this.#cookie = cookie;
      return { ...result, cookie };
    }
    if (result.conclusion === 'credentials') {
      const pause = Math.min(this.#refused ? this.#refused.pause * 2 : FIRST_LOGIN_PAUSE, LONGEST_LOGIN_PAUSE);
      this.#refused = { concluded: result, until: this.#now() + pause, pause };
    }
    // A login that got no answer has changed nothing: it may simply be tried again.
    return result.conclusion === 'unknown-outcome' ? concluded('unavailable', 'no answer to the login') : result;
  }

  async #send(
    route: string,
    params: object,
    cookie?: string,
    signal?: AbortSignal,
    method: 'GET' | 'POST' = 'POST',
  ): Promise<{ answer: Answer; cookie?: string }> {
    // axios' own timeout starts again with every byte; this one is the limit of the whole call.
    const limit = new AbortController();
    const end = (): void => limit.abort();
    const timer = setTimeout(end, this.timeoutMs);
    const leave = onAbort(signal, end);
    const departure = new Departure();
    const { transport } = departure;
    try {
      return await this.#request(route, params, cookie, { signal: limit.signal, method, transport });
    } catch (error) {
      // axios' own error carries the whole request, password included: only its code and words go on.
      const code = isAxiosError(error) ? (error.code ?? '') : '';
      const said = isAxiosError(error) ? `${code} ${error.message}`.trim() : String(error);
      const gaveUp = signal?.aborted ? 'closing' : `no answer within ${this.timeoutMs / 1000} s`;
      return { answer: { kind: 'none', sent: departure.left, problem: limit.signal.aborted ? gaveUp : said } };
    } finally {
      clearTimeout(timer);
      leave();
    }
  }

  /** One request, and what it is redirected to as long as that is the same Odoo. @throws what axios throws */
  async #request(
    route: string,
    params: object,
    session: string | undefined,
    how: Pick<AxiosRequestConfig, 'signal' | 'method' | 'transport'>,
  ): Promise<{ answer: Answer; cookie?: string }> {
    const data = { jsonrpc: '2.0', method: 'call', params };
    let url = new URL(this.#base + route);
    for (let redirects = 0; ; redirects += 1) {
      const cookies = [...(session ? [session] : []), ...this.#jar.for(url)].join('; ');
      const sent = { ...how, url: url.href, data, ...(cookies ? { headers: { Cookie: cookies } } : {}) };
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
