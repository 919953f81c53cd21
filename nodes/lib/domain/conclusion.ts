/**
 * What an answer of Odoo comes down to, and what follows from it. One table; everything else looks it up.
 */

/** What follows from a conclusion: nothing more to do, try again after a pause, or a person has to decide. */
type Consequence = 'done' | 'retry' | 'set-aside';

interface Rule {
  consequence: Consequence;
  /** Pause before the first repeat (s); it doubles with every attempt, but for `credentials`. */
  pause: number;
  /** HTTP status of the manual API. */
  http: number;
}

const rule = (consequence: Consequence, pause: number, http: number): Rule => ({ consequence, pause, http });

export const CONCLUSIONS = {
  /** Odoo holds every value that was sent. */
  confirmed: rule('done', 0, 200),
  /** Odoo took only some of the silos. */
  partial: rule('set-aside', 60, 502),
  'unknown-order': rule('set-aside', 60, 502),
  /** Several orders in Odoo have this name. */
  'ambiguous-order': rule('set-aside', 60, 409),
  /** The order is done in Odoo, and with other figures than ours. */
  'order-done': rule('set-aside', 60, 502),
  'order-cancelled': rule('set-aside', 60, 502),
  'not-permitted': rule('set-aside', 60, 502),
  'bad-value': rule('set-aside', 60, 502),
  /** Marked done, and read back as still open. */
  'not-done': rule('set-aside', 60, 502),
  /** A batch that is complete but cannot be closed without a decision (finished weight missing, too little finished). */
  undecided: rule('set-aside', 60, 502),
  /** The session ended twice in a row. */
  session: rule('retry', 30, 502),
  credentials: rule('retry', 60, 502),
  /** Closing it met another closing: Odoo rolled back, or has forgotten what it was told (odoo/odoo#79136). */
  collided: rule('retry', 3, 502),
  /** Odoo rolled back because of another transaction. */
  busy: rule('retry', 5, 502),
  /**
   * Odoo answered an error that nobody here knows: passing trouble (a full disk, a lock) as far as anyone can tell. Given up
   * only after `GIVEN_UP`.
   */
  unexplained: rule('retry', 60, 502),
  /** Not reachable, or something else than Odoo answers. Nothing was sent, or nothing was taken. */
  unavailable: rule('retry', 60, 502),
  /** A call by hand, or a quantity that Odoo does not take back, may stand there: left alone, and shown. */
  unsettled: rule('retry', 60, 409),
  /** Sent, and no answer came: neither success nor failure. */
  'unknown-outcome': rule('retry', 60, 504),
  /** Our own request was refused as malformed: a defect, or another server than we know. */
  'bad-request': rule('retry', 300, 502),
} as const satisfies Record<string, Rule>;

export type Conclusion = keyof typeof CONCLUSIONS;

/** A conclusion with its reason in words a person can act on. */
export interface Concluded {
  conclusion: Conclusion;
  /** Empty when confirmed. */
  reason: string;
  /** Not a byte of the call went out. */
  unsent?: true;
}

/**
 * The longest reason (characters): a screen full. It goes into the row, an event, the log and a status, each time; the
 * longest recorded one has 230.
 */
export const LONGEST_REASON = 2_000;

export const concluded = (conclusion: Conclusion, reason = ''): Concluded => ({
  conclusion,
  // What a proxy sends in between may hold anything; PostgreSQL keeps neither a NUL nor half of a character that was cut.
  reason: shortened(reason, LONGEST_REASON).replace(/[\p{Cc}\p{Cs}]+/gu, ' '),
});

/** A text that is cut where it is too long (characters). */
export const shortened = (text: string, most: number): string =>
  text.length > most ? `${text.slice(0, most - 1)}…` : text;

/**
 * When a row is set aside whose errors nobody knows: so many answers that Odoo itself gave for this very row, over so long
 * (h). Trouble of a server is over by then, or has been seen.
 */
export const GIVEN_UP = { answers: 20, hours: 24 } as const;

/** Pauses grow up to this, before they are scattered (s). */
const LONGEST_PAUSE = 30 * 60;

/**
 * Pause before the next attempt (ms), growing with the attempts and scattered between half and one and a half, so that an
 * Odoo that comes back after an hour gets what waited over half an hour, not in one burst.
 * @param attempts how many failed before this one
 * @param random 0 … 1
 */
export function pauseBeforeRetry(conclusion: Conclusion, attempts: number, random: number = Math.random()): number {
  // Refused logins pause by themselves, for all rows at once: a corrected password finds every row due.
  const doublings = conclusion === 'credentials' ? 0 : Math.min(attempts, 16);
  const seconds = Math.min(CONCLUSIONS[conclusion].pause * 2 ** doublings, LONGEST_PAUSE);
  return Math.round(seconds * 1000 * (0.5 + random));
}

/** So many doublings: ten tries of a closing that collides take less than a quarter of an hour. */
const MOST_DOUBLINGS = 5;

/** Pause before a closing that collided is tried again (ms). @param before collisions in a row before this one */
export const pauseAfterCollision = (before: number): number =>
  pauseBeforeRetry('collided', Math.min(before, MOST_DOUBLINGS));

/** Whether a person has to decide: no repeat can change the outcome. */
export const needsDecision = (conclusion: Conclusion): boolean => CONCLUSIONS[conclusion].consequence === 'set-aside';
