/** Logins and sessions of the simulated Odoo. */
import { randomBytes } from 'node:crypto';
import type { SimulatedUser } from './catalogue';
import type { SessionEntry } from './journal';
import { OdooError } from './records';

/** Failures from one address after which even the right password is refused, and for how long (exchanges 402-406). */
const MAX_FAILURES = 10;
const COOLDOWN_MS = 60_000;
/** Odoo keeps a session for three months. */
const MAX_AGE_S = 7_776_000;

export interface Session {
  sid: string;
  user: SimulatedUser;
  db: string;
}

/** A session id as Odoo makes them: 40 hex digits. */
export const newSid = (): string => randomBytes(20).toString('hex');

/** The cookie's session id; undefined without one. */
export function sidOf(cookie: string | undefined): string | undefined {
  return /(?:^|;\s*)session_id=([^;]+)/.exec(cookie ?? '')?.[1];
}

export class Sessions {
  private readonly lockedOut = new Set<string>();
  private readonly live = new Map<string, Session>();
  private readonly failures = new Map<string, { count: number; last: number }>();

  constructor(
    private readonly users: readonly SimulatedUser[],
    private readonly database: string,
    private readonly now: () => Date,
    private readonly journal: (entry: SessionEntry) => void,
  ) {}

  find(sid: string | undefined): Session | undefined {
    return sid === undefined ? undefined : this.live.get(sid);
  }

  /** Takes a session over from a journal. */
  keep({ sid, login, db }: SessionEntry): void {
    const user = this.users.find((known) => known.login === login);
    if (user) this.live.set(sid, { sid, user, db });
    else this.live.delete(sid);
  }

  end(sid: string | undefined): void {
    if (sid !== undefined && this.live.delete(sid)) this.journal({ sid, login: null, db: '' });
  }

  /** Ends every session, as when the session store is lost. */
  endAll(): void {
    for (const sid of [...this.live.keys()]) this.end(sid);
  }

  /** Somebody changes a user's password, which ends the sessions of that user; or changes it back. */
  lockOut(login: string, out: boolean): void {
    if (!out) return void this.lockedOut.delete(login);
    this.lockedOut.add(login);
    for (const { sid, user } of this.live.values()) if (user.login === login) this.end(sid);
  }

  /** Opens a session. The one whose cookie was sent along ends at once (exchange 029). */
  open(user: SimulatedUser, db: string, oldSid: string | undefined): Session {
    this.end(oldSid);
    const session = { sid: newSid(), user, db };
    this.live.set(session.sid, session);
    this.journal({ sid: session.sid, login: user.login, db });
    return session;
  }

  /**
   * Checks a login from a network address.
   * @throws OdooError: no such database, access denied, or too many failures (then the password is not looked at).
   */
  check(address: string, db: unknown, login: unknown, password: unknown): SimulatedUser {
    return this.authenticate(address, db, (user) => user.login === login && user.password === password);
  }

  /** The same for the standard RPC route, which names the user by id with each call. */
  checkUid(address: string, db: unknown, uid: unknown, password: unknown): SimulatedUser {
    return this.authenticate(address, db, (user) => user.uid === uid && user.password === password);
  }

  private authenticate(address: string, db: unknown, fits: (user: SimulatedUser) => boolean): SimulatedUser {
    if (db !== this.database) {
      throw new OdooError(`FATAL:  database "${String(db)}" does not exist\n`, 'psycopg2.OperationalError');
    }
    const at = this.now().getTime();
    const { count, last } = this.failures.get(address) ?? { count: 0, last: 0 };
    if (count >= MAX_FAILURES && at < last + COOLDOWN_MS) {
      const text = 'Too many login failures, please wait a bit before trying again.';
      throw new OdooError(text, 'odoo.exceptions.AccessDenied');
    }
    const user = this.users.find((known) => fits(known) && !this.lockedOut.has(known.login));
    if (!user) {
      this.failures.set(address, { count: count + 1, last: at });
      throw new OdooError('Access Denied', 'odoo.exceptions.AccessDenied');
    }
    this.failures.delete(address);
    return user;
  }

  /** The Set-Cookie header of a session id. */
  cookie(sid: string): string {
    const expires = new Date(this.now().getTime() + MAX_AGE_S * 1000).toUTCString();
    return `session_id=${sid}; Expires=${expires}; Max-Age=${MAX_AGE_S}; HttpOnly; Path=/`;
  }
}
