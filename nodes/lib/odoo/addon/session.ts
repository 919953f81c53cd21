/**
 * The session with one Odoo: HTTP, one login for all callers, the cookie. Knows no Node-RED.
 */
import { readLogin } from './answer';
import { type Answer, isHtml, type Read, readEnvelope } from '../answer';
import { OdooHttp, type Sent } from '../http';
import { type Concluded, concluded } from '../../domain/conclusion';
import type { Calling } from '../../domain/odoo-orders';
import { type LoginAddress, LoginPause, observed, placeOf, retried } from '../login';

export interface OdooAddress extends LoginAddress {
  password: string;
}

/** How one call of a route is made. */
export interface CallOptions extends Calling {
  /** POST by default; the addon's version is a GET with a JSON body (exchange 006). */
  method?: 'GET' | 'POST';
}

type Login = Concluded & { cookie?: string };

export class OdooSession {
  readonly #address: OdooAddress;
  readonly #http: OdooHttp;
  readonly #pause: LoginPause;
  #cookie: string | undefined;
  #login: Promise<Login> | undefined;

  /**
   * @param now a clock that nobody sets (ms)
   * @throws Error when the address names no database, user or password: such a login is not even tried.
   */
  constructor(address: OdooAddress, now: () => number = () => performance.now()) {
    if (!address.database || !address.user || !address.password) {
      throw new Error('odoo-server: database, user and password are needed to log in to Odoo');
    }
    this.#address = address;
    this.#pause = new LoginPause(now);
    this.#http = new OdooHttp(address, now);
  }

  get timeoutMs(): number {
    return this.#http.timeoutMs;
  }

  /** Where Odoo was found in the end, without the user. */
  get url(): string {
    return this.#http.url;
  }

  get place(): string {
    return placeOf(this.#address);
  }

  /** Calls a route under the session; one fresh login and one repeat when the session has ended. */
  async call(route: string, params: object, options: CallOptions = {}): Promise<Read> {
    return observed(await this.#callUnderSession(route, params, options), this.#address, options);
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
    const { waiting } = this.#pause;
    if (waiting) return Promise.resolve(waiting);
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
      this.#pause.end();
      this.#cookie = cookie;
      return { ...result, cookie };
    }
    this.#pause.refuse(result);
    return retried(result);
  }
}

const envelope = (params: object): object => ({ jsonrpc: '2.0', method: 'call', params });

const isNotFound = (answer: Answer): boolean =>
  answer.kind === 'answer' && answer.status === 404 && !isHtml(answer.body);
