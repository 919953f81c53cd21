/**
 * The session with one Odoo: HTTP, one login for all callers, the cookie. Knows no Node-RED.
 */
import type { ConnectionOptions } from 'node:tls';
import { readLogin } from './addon/answer';
import { type Answer, isHtml, type Read, readEnvelope } from './answer';
import { OdooHttp, type Sent } from './http';
import { type Concluded, concluded } from '../domain/conclusion';
import type { Calling } from '../domain/odoo-orders';

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

/** How one call of a route is made. */
export interface CallOptions extends Calling {
  /** POST by default; the addon's version is a GET with a JSON body (exchange 006). */
  method?: 'GET' | 'POST';
}

type Login = Concluded & { cookie?: string };

export class OdooSession {
  readonly #address: OdooAddress;
  readonly #http: OdooHttp;
  readonly #now: () => number;
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
    this.#http = new OdooHttp(address, now);
  }

  get timeoutMs(): number {
    return this.#http.timeoutMs;
  }

  /** Where Odoo was found in the end, without the user. */
  get url(): string {
    return this.#http.url;
  }

  /** Which Odoo this is, named alike by every Node-RED that calls it: its address and database. */
  get place(): string {
    const { url, database } = this.#address;
    return `${url.trim().replace(/\/+$/, '').toLowerCase()} ${database}`;
  }

  /** Calls a route under the session; one fresh login and one repeat when the session has ended. */
  async call(route: string, params: object, options: CallOptions = {}): Promise<Read> {
    const read = await this.#callUnderSession(route, params, options);
    const { conclusion, reason = '' } = read.concluded ?? {};
    const lost = conclusion && ['unavailable', 'session', 'credentials', 'unknown-outcome'].includes(conclusion);
    if (!options.signal?.aborted) this.#address.observe?.(lost ? reason : '');
    return read;
  }

  async #callUnderSession(route: string, params: object, options: CallOptions): Promise<Read> {
    const first = await this.#callOnce(route, params, options);
    if (!first.cookie || first.read.concluded?.conclusion !== 'session') return first.read;
    // Another caller may have logged in meanwhile: its session is not thrown away.
    if (this.#cookie === first.cookie) this.#cookie = undefined;
    return (await this.#callOnce(route, params, options)).read;
  }

  async #callOnce(
    route: string,
    params: object,
    { signal, beforeSend, method }: CallOptions,
  ): Promise<{ read: Read; cookie?: string }> {
    const login = await this.#loggedIn();
    if (!login.cookie) return { read: { concluded: { ...login, unsent: true } } };
    await beforeSend?.();
    const { cookie } = login;
    const options = { cookie, ...(signal ? { signal } : {}), ...(method ? { method } : {}) };
    const { answer } = await this.#http.send(route, envelope(params), options);
    return { read: readEnvelope(answer), cookie };
  }

  close(): void {
    this.#http.close();
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
    let { answer, cookie }: Sent = await this.#http.send('/api/scada/authenticate', envelope({ db, login, password }));
    if (isNotFound(answer)) {
      // A server with several databases knows the addon's routes only once a session has one (exchanges 318-320).
      const web = await this.#http.send('/web/session/authenticate', envelope({ db, login, password }));
      ({ answer, cookie } = web);
    }
    const result = readLogin(readEnvelope(answer));
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
}

const envelope = (params: object): object => ({ jsonrpc: '2.0', method: 'call', params });

const isNotFound = (answer: Answer): boolean =>
  answer.kind === 'answer' && answer.status === 404 && !isHtml(answer.body);
