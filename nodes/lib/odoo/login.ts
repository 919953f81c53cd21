/** What the logins of both interfaces have in common: who logs in where, and the pause after a refusal. */
import { type Concluded, concluded } from '../domain/conclusion';
import type { Calling } from '../domain/odoo-orders';
import type { Read } from './answer';
import type { HttpAddress } from './http';

export interface LoginAddress extends HttpAddress {
  database: string;
  user: string;
  /** Told after every call whether Odoo could be worked with: '' or what is wrong. */
  observe?: (problem: string) => void;
}

/** Which Odoo this is, named alike by every Node-RED that calls it: its address as entered, and its database. */
export const placeOf = ({ url, database }: LoginAddress): string =>
  `${url.trim().replace(/\/+$/, '').toLowerCase()} ${database}`;

/** Conclusions after which nothing can be worked with, whatever is asked. */
const LOST = ['unavailable', 'session', 'credentials', 'unknown-outcome'];

/** Tells the observer how a call went, unless it was given up here. */
export function observed(read: Read, { observe }: LoginAddress, { signal }: Calling): Read {
  const { conclusion, reason = '' } = read.concluded ?? {};
  if (!signal?.aborted) observe?.(conclusion && LOST.includes(conclusion) ? reason : '');
  return read;
}

/** After refused credentials: first and longest pause before a login is tried again (ms). Ten failures cost 60 s (404, 14:153). */
const FIRST_PAUSE = 60_000;
const LONGEST_PAUSE = 30 * 60_000;

/** Refused credentials cool down: no login, whoever asks, before the pause is over; each refusal doubles it. */
export class LoginPause {
  readonly #now: () => number;
  #refused: { concluded: Concluded; until: number; pause: number } | undefined;

  /** @param now a clock that nobody sets (ms) */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** What a caller is told while it lasts. */
  get waiting(): Concluded | undefined {
    if (!this.#refused || this.#refused.until <= this.#now()) return undefined;
    const seconds = Math.ceil((this.#refused.until - this.#now()) / 1000);
    const { conclusion, reason } = this.#refused.concluded;
    return concluded(conclusion, `${reason} (next login in ${seconds} s, or when the credentials change)`);
  }

  /** Begins, or goes on for twice as long, where the login was refused; any other outcome leaves it. */
  refuse(refusal: Concluded): void {
    if (refusal.conclusion !== 'credentials') return;
    const pause = Math.min(this.#refused ? this.#refused.pause * 2 : FIRST_PAUSE, LONGEST_PAUSE);
    this.#refused = { concluded: refusal, until: this.#now() + pause, pause };
  }

  /** The credentials were taken. */
  end(): void {
    this.#refused = undefined;
  }
}

/** A login that got no answer has changed nothing: it may simply be tried again. */
export const retried = (login: Concluded): Concluded =>
  login.conclusion === 'unknown-outcome' ? concluded('unavailable', 'no answer to the login') : login;
