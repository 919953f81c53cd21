/**
 * The session with one Odoo: HTTP, one login for all callers, the cookie. Knows no Node-RED.
 */
import http from 'node:http';
import https from 'node:https';
import type { ConnectionOptions } from 'node:tls';
import axios, { type AxiosInstance, isAxiosError } from 'axios';
import { type Answer, concluded, readEnvelope, readLogin } from './answer';
import type { Concluded } from '../domain/conclusion';

export interface OdooAddress {
  /** http(s)://host:port */
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

/** Failures that happen before the request leaves this machine: nothing can have been taken. */
const NOT_SENT =
  /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ENETDOWN|ERR_INVALID_URL|ERR_TLS_\w+|ERR_SSL_\w+|CERT_\w+|DEPTH_ZERO_\w+|SELF_SIGNED_\w+|UNABLE_TO_\w+|EPROTO)$/;

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
  #cookie: string | undefined;
  #login: Promise<Login> | undefined;
  #refused: { concluded: Concluded; until: number; pause: number } | undefined;

  /** @throws Error when the address names no database, user or password: such a login is not even tried. */
  constructor(address: OdooAddress, now: () => number = Date.now) {
    if (!address.database || !address.user || !address.password) {
      throw new Error('odoo-server: database, user and password are needed to log in to Odoo');
    }
    this.#address = address;
    this.#now = now;
    const httpAgent = new http.Agent({ keepAlive: true });
    const httpsAgent = new https.Agent({ keepAlive: true, ...address.tls });
    this.#agents = [httpAgent, httpsAgent];
    this.#http = axios.create({
      baseURL: address.url.replace(/\/+$/, ''),
      httpAgent,
      httpsAgent,
      maxRedirects: 0,
      validateStatus: () => true,
      responseType: 'text',
      transformResponse: (body: unknown) => body,
      headers: { 'Content-Type': 'application/json' },
    });
  }

  get timeoutMs(): number {
    return this.#address.timeoutMs;
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
    if (answer.kind === 'answer' && answer.status === 404) {
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
    signal?.addEventListener('abort', end);
    if (signal?.aborted) end();
    try {
      const { status, data, headers } = await this.#http.request<string>({
        method,
        url: route,
        data: { jsonrpc: '2.0', method: 'call', params },
        signal: limit.signal,
        ...(cookie ? { headers: { Cookie: cookie } } : {}),
      });
      const set = headers['set-cookie']?.map((line) => /^session_id=[^;]+/.exec(line)?.[0]).find(Boolean);
      return { answer: { kind: 'answer', status, body: String(data) }, ...(set ? { cookie: set } : {}) };
    } catch (error) {
      // axios' own error carries the whole request, password included: only its code and words go on.
      const code = isAxiosError(error) ? (error.code ?? '') : '';
      const said = isAxiosError(error) ? `${code} ${error.message}`.trim() : String(error);
      const gaveUp = signal?.aborted ? 'closing' : `no answer within ${this.timeoutMs / 1000} s`;
      return { answer: { kind: 'none', sent: !NOT_SENT.test(code), problem: limit.signal.aborted ? gaveUp : said } };
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
    }
  }
}
