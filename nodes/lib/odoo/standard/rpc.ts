/**
 * Calls of a standard Odoo's models: over /jsonrpc with a password or an API key, over /json/2 where version 19 or later and
 * a key allow it. No session, no cookie: a restart of Odoo ends nothing.
 */
import { type Answer, byName, inOneLine, isHtml, type Read, readEnvelope } from '../answer';
import { OdooHttp } from '../http';
import { type Concluded, concluded } from '../../domain/conclusion';
import type { Calling } from '../../domain/odoo-orders';
import { type LoginAddress, LoginPause, observed, placeOf, retried } from '../login';

export interface StandardAddress extends LoginAddress {
  /** The password, or the API key that stands in for it. */
  secret: string;
  /** Whether the secret is an API key. */
  isKey: boolean;
}

/** Arguments by name; which of them go by position over /jsonrpc, and in which order. */
const POSITIONAL: Readonly<Record<string, readonly string[]>> = {
  search_read: ['domain'],
  search_count: ['domain'],
  read: ['ids'],
  fields_get: ['allfields'],
  write: ['ids', 'vals'],
  create: ['vals_list'],
  button_mark_done: ['ids'],
  do_unreserve: ['ids'],
  check_access_rights: ['operation'],
  has_access: ['ids', 'operation'],
};

/** From this version on /json/2 is there. */
const JSON_2 = 19;

/** What a call came to. `page`: a page stood where the error should have been, which tells nothing but that there was one. */
export type Called = Read & { page?: true };

/** Odoo 14 with several databases says so to any error (14:165), as it does when PostgreSQL is down (14:167). */
const isErrorPage = (answer: Answer): boolean =>
  answer.kind === 'answer' && answer.status === 500 && isHtml(answer.body);
const ERROR_PAGE =
  'HTTP 500 with a web page: PostgreSQL behind Odoo is down, or it is an Odoo 14 with several databases, which says so to any error: check the name of the database and the rights of the user, and see the log of Odoo';

/** Calls that change nothing. */
const READS = ['search_read', 'search_count', 'read', 'fields_get', 'check_access_rights', 'has_access'];

type Login = { uid: number; concluded?: never } | { uid?: never; concluded: Concluded };

export class StandardRpc {
  readonly #address: StandardAddress;
  readonly #http: OdooHttp;
  readonly #pause: LoginPause;
  #major: number | undefined;
  #uid: number | undefined;
  #login: Promise<Login> | undefined;
  #calls = 0;

  /**
   * @param now a clock that nobody sets (ms)
   * @throws Error when the address names no database, user or secret
   */
  constructor(address: StandardAddress, now: () => number = () => performance.now()) {
    if (!address.database || !address.user || !address.secret) {
      throw new Error('odoo-server: database, user and password or API key are needed to log in to Odoo');
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

  close(): void {
    this.#http.close();
  }

  /** The server's version, e.g. "17.0"; asked without a login. */
  async version(options: Calling = {}): Promise<Read<{ server_version?: string; server_version_info?: unknown[] }>> {
    return this.#jsonrpc('common', 'version', [], options) as Promise<Read<{ server_version?: string }>>;
  }

  /** @param named the arguments by name; `ids` are the records' */
  async call(
    model: string,
    method: string,
    named: Readonly<Record<string, unknown>>,
    options: Calling = {},
  ): Promise<Called> {
    return observed(await this.#called(model, method, named, options), this.#address, options);
  }

  async #called(
    model: string,
    method: string,
    named: Readonly<Record<string, unknown>>,
    options: Calling,
  ): Promise<Called> {
    const { waiting } = this.#pause;
    if (waiting) return { concluded: { ...waiting, unsent: true } };
    if (this.#address.isKey && (await this.#knowsJson2(options))) {
      const read = await this.#json2(model, method, named, options);
      if (read.concluded) this.#pause.refuse(read.concluded);
      else this.#pause.end();
      return read;
    }
    const read = await this.#executed(model, method, named, options);
    if (read.concluded && !read.page && read.concluded.conclusion !== 'bad-value') return read;
    // Behind a page, and behind a record that is missing where none was named, may be the user himself: a login tells.
    if (!read.concluded || !READS.includes(method)) return read;
    this.#uid = undefined;
    const login = await this.#loggedIn();
    return login.concluded?.conclusion === 'credentials' ? { concluded: login.concluded } : read;
  }

  async #executed(
    model: string,
    method: string,
    named: Readonly<Record<string, unknown>>,
    options: Calling,
  ): Promise<Called> {
    const login = await this.#loggedIn();
    if (login.concluded) return { concluded: { ...login.concluded, unsent: true } };
    const { database, secret } = this.#address;
    const order = POSITIONAL[method] ?? [];
    const args = order.map((name) => named[name]);
    const kwargs = Object.fromEntries(Object.entries(named).filter(([name]) => !order.includes(name)));
    const who = [database, login.uid, secret];
    const read = await this.#jsonrpc('object', 'execute_kw', [...who, model, method, args, kwargs], options);
    if (read.concluded?.conclusion === 'credentials') {
      // Changed or withdrawn since: the next call logs in anew, after a pause.
      this.#uid = undefined;
      this.#pause.refuse(read.concluded);
    }
    return read;
  }

  async #jsonrpc(service: string, method: string, args: unknown[], { signal, beforeSend }: Calling): Promise<Called> {
    await beforeSend?.();
    const body = { jsonrpc: '2.0', method: 'call', params: { service, method, args }, id: (this.#calls += 1) };
    const { answer } = await this.#http.send('/jsonrpc', body, signal ? { signal } : {});
    if (isErrorPage(answer)) return { concluded: concluded('unavailable', ERROR_PAGE), page: true };
    // Methods that return nothing answer without a result (17:070).
    return readEnvelope(answer, { withoutSession: true });
  }

  async #json2(model: string, method: string, named: object, { signal, beforeSend }: Calling): Promise<Read> {
    await beforeSend?.();
    const { secret, database } = this.#address;
    const headers = { Authorization: `bearer ${secret}`, 'X-Odoo-Database': database };
    const { answer } = await this.#http.send(`/json/2/${model}/${method}`, named, {
      headers,
      ...(signal ? { signal } : {}),
    });
    return readJson2(answer);
  }

  /** Asked once; where not even /jsonrpc is left, it is newer than all that is known. */
  async #knowsJson2({ signal }: Calling): Promise<boolean> {
    if (this.#major === undefined) {
      const read = await this.version(signal ? { signal } : {});
      const major = Number(read.result?.server_version_info?.[0]);
      if (Number.isInteger(major)) this.#major = major;
      else return read.concluded?.conclusion === 'unavailable' && !read.concluded.unsent;
    }
    return (this.#major ?? 0) >= JSON_2;
  }

  /** One login for all callers and all calls: hashing a password takes Odoo 16 and later 0.4 s. */
  #loggedIn(): Promise<Login> {
    if (this.#uid !== undefined) return Promise.resolve({ uid: this.#uid });
    this.#login ??= this.#authenticate().finally(() => {
      this.#login = undefined;
    });
    return this.#login;
  }

  async #authenticate(): Promise<Login> {
    const { database, user, secret, isKey } = this.#address;
    const read = await this.#jsonrpc('common', 'login', [database, user, secret], {});
    if (typeof read.result === 'number') {
      this.#pause.end();
      this.#uid = read.result;
      return { uid: read.result };
    }
    const refused = read.concluded ?? concluded('credentials', isKey ? KEY_REFUSED : PASSWORD_REFUSED);
    this.#pause.refuse(refused);
    return { concluded: retried(refused) };
  }
}

const PASSWORD_REFUSED =
  'Odoo refused user or password (an account with two-factor authentication needs an API key: preferences, account security; after ten failures Odoo 14 and 15 refuse the right one, too, for a minute)';
const KEY_REFUSED =
  'Odoo refused user or API key: it may have expired, make a new one in the preferences of the user, account security';

/** An answer of /json/2: the bare result, or an error with a real HTTP code (19:164 to 19:204). */
export function readJson2(answer: Answer): Read {
  if (answer.kind === 'none' || (answer.status >= 300 && answer.status < 400) || answer.status === 504)
    return readEnvelope(answer);
  const { status, body } = answer;
  if (isHtml(body)) {
    const found = status === 404 ? ': the database is unknown, or Odoo is older than 19' : '';
    return {
      concluded: concluded('unavailable', `HTTP ${status} with a web page${found}; check address and database`),
    };
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    const broken = status === 200 ? 'unknown-outcome' : 'unavailable';
    return { concluded: concluded(broken, status === 200 ? 'the answer broke off' : `HTTP ${status} without JSON`) };
  }
  if (status === 200) return { result: parsed };
  const { name = '', message = '' } = (parsed ?? {}) as { name?: string; message?: string };
  if (status === 401)
    return { concluded: concluded('credentials', `${KEY_REFUSED} (Odoo said: ${inOneLine(String(message))})`) };
  if (status === 403) return { concluded: concluded('not-permitted', inOneLine(String(message))) };
  return { concluded: byName(String(name), inOneLine(String(message))) };
}
