/** Who may in: passwords, API keys, sessions, and what too many failures lead to. */
import { OdooError } from '../records';
import { newSid } from '../sessions';
import type { Generation } from './generations';

export interface ApiKey {
  name: string;
  key: string;
  /** Naive UTC; without it, for ever. */
  expires?: string;
}

export interface User {
  uid: number;
  login: string;
  password: string;
  /** `none`: an internal user without a right in Manufacturing. */
  role: 'admin' | 'manufacturing' | 'none';
  /** Two-factor authentication: the password opens nothing over RPC. */
  twoFactor?: boolean;
  keys?: ApiKey[];
  lang?: string;
  /** Names of the companies whose orders the user sees; all without it. */
  companies?: readonly string[];
}

export const STANDARD_USERS: readonly User[] = [
  { uid: 2, login: 'admin', password: 'admin', role: 'admin' },
  { uid: 6, login: 'bridge', password: 'bridge', role: 'manufacturing', keys: [{ name: 'bridge', key: 'bridge-key' }] },
  { uid: 9, login: 'plain', password: 'plain', role: 'none' },
  { uid: 10, login: 'german', password: 'german', role: 'manufacturing', lang: 'de_DE' },
  {
    uid: 11,
    login: 'totp',
    password: 'totp',
    role: 'manufacturing',
    twoFactor: true,
    keys: [{ name: 'totp', key: 'totp-key' }],
  },
];

const MAX_FAILURES = 10;
const COOLDOWN_MS = 60_000;

const denied = (text = 'Access Denied'): OdooError => new OdooError(text, 'odoo.exceptions.AccessDenied');

export class Access {
  private readonly lockedOut = new Set<string>();
  private readonly sessions = new Map<string, User>();
  private readonly failures = new Map<string, { count: number; since: number }>();
  /** Keys that this process has let in: `execute_kw` does not look at their expiry again. */
  private readonly seen = new Set<string>();

  constructor(
    private readonly users: readonly User[],
    private readonly database: string,
    private readonly generation: Generation,
    private readonly now: () => Date,
  ) {}

  /** `common.login`: the user's id, or false, also for too many failures (14, 15). */
  login(address: string, db: unknown, login: unknown, secret: unknown): number | false {
    this.open(db);
    if (this.generation.cooldown === 'every login' && this.coolingDown(address)) return false;
    const user = this.users.find((known) => known.login === login);
    if (user && this.fits(user, secret, true)) return this.succeeded(address, user).uid;
    this.failed(address);
    return false;
  }

  /** @throws OdooError: AccessDenied, or MissingError for an id that nobody has */
  execute(db: unknown, uid: unknown, secret: unknown): User {
    this.open(db);
    const user = this.users.find((known) => known.uid === uid);
    if (!user)
      throw new OdooError(
        `Record does not exist or has been deleted.\n(Record: res.users(${String(uid)},), User: 1)`,
        'odoo.exceptions.MissingError',
      );
    if (!this.fits(user, secret, false)) throw denied();
    if (typeof secret === 'string') this.seen.add(secret);
    return user;
  }

  /** The bearer of /json/2. */
  bearer(key: string): User | undefined {
    return this.users.find(
      (user) =>
        !this.lockedOut.has(user.login) && user.keys?.some((known) => known.key === key && !this.expired(known)),
    );
  }

  /** A web session; an API key opens none, and neither does a password alone with two-factor authentication. */
  authenticate(address: string, db: unknown, login: unknown, password: unknown): { user: User; sid: string | null } {
    this.open(db);
    if (this.coolingDown(address)) {
      if (this.generation.cooldown === 'web, as ValueError')
        throw new OdooError(`invalid literal for int() with base 10: '${String(login)}'`, 'builtins.ValueError');
      throw denied('Too many login failures, please wait a bit before trying again.');
    }
    const user = this.users.find((known) => known.login === login && known.password === password);
    if (!user || this.lockedOut.has(user.login)) {
      this.failed(address);
      throw denied();
    }
    this.succeeded(address, user);
    if (user.twoFactor) return { user, sid: null };
    const sid = newSid();
    this.sessions.set(sid, user);
    return { user, sid };
  }

  /** Somebody changes a user's password and keys, which ends the sessions of that user; or changes them back. */
  lockOut(login: string, out: boolean): void {
    if (!out) return void this.lockedOut.delete(login);
    this.lockedOut.add(login);
    for (const [sid, user] of this.sessions) if (user.login === login) this.sessions.delete(sid);
  }

  session(sid: string | undefined): User | undefined {
    return sid === undefined ? undefined : this.sessions.get(sid);
  }

  end(sid: string | undefined): void {
    if (sid !== undefined) this.sessions.delete(sid);
  }

  /** After a restart an expired key is looked at again. */
  restarted(): void {
    this.seen.clear();
  }

  private open(db: unknown): void {
    if (db === this.database) return;
    const text = `connection to server at "127.0.0.1", port 5432 failed: FATAL:  database "${String(db)}" does not exist\n`;
    throw new OdooError(text, 'psycopg2.OperationalError');
  }

  private fits({ login, password, twoFactor, keys }: User, secret: unknown, fresh: boolean): boolean {
    if (this.lockedOut.has(login)) return false;
    if (secret === password && !twoFactor) return true;
    return (
      keys?.some((known) => known.key === secret && (!this.expired(known) || (!fresh && this.seen.has(known.key)))) ??
      false
    );
  }

  private expired({ expires }: ApiKey): boolean {
    return expires !== undefined && new Date(`${expires.replace(' ', 'T')}Z`) <= this.now();
  }

  private coolingDown(address: string): boolean {
    const { count, since } = this.failures.get(address) ?? { count: 0, since: 0 };
    return count >= MAX_FAILURES && this.now().getTime() < since + COOLDOWN_MS;
  }

  private failed(address: string): void {
    const { count } = this.failures.get(address) ?? { count: 0 };
    this.failures.set(address, { count: count + 1, since: this.now().getTime() });
  }

  private succeeded(address: string, user: User): User {
    this.failures.delete(address);
    return user;
  }
}
