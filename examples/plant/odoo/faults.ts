/** Faults of the simulated Odoo, switchable while it runs. */

/**
 * delay: the call waits `ms` before the server looks at it · cutBefore: the connection ends, nothing was done ·
 * cutAfter: done, then the connection ends without an answer · commitLate: the connection ends at once, the call is
 * done after `ms` · hang: done, and no answer ever comes · http500, html502: an outage's HTML, nothing was done ·
 * expireSession: the session has ended when the call arrives · serverError200: error.code 200, rolled back ·
 * serialization: the same, "could not serialize access" · contextLost: a closing that Odoo repeats without the flags
 * that it was called with ·
 * databaseDown: PostgreSQL is gone and takes the session with it (exchanges 330-334) · forgets: a writing call is answered
 * as if it was done, and nothing of it is kept.
 */
export const FAULT_KINDS = [
  'delay',
  'cutBefore',
  'cutAfter',
  'commitLate',
  'hang',
  'http500',
  'html502',
  'expireSession',
  'serverError200',
  'serialization',
  'contextLost',
  'databaseDown',
  'forgets',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

export interface Fault {
  kind: FaultKind;
  /** Regular expression on the path; every route without it. */
  route?: RegExp | string;
  /** Only calls of this method of a model. `forgets` strikes writing calls only. */
  method?: string;
  /** How many calls it hits (1), or all until it is cleared. */
  count?: number | 'always';
  /** For delay and commitLate, milliseconds (1000). */
  ms?: number;
}

/** The faults that wait for calls; of several that match a call, the one set first strikes. */
export class Faults {
  private waiting: { kind: FaultKind; route: RegExp; method: string | undefined; left: number; ms: number }[] = [];

  /** @throws Error when the kind is unknown or the route is no regular expression. */
  set({ kind, route = '', method, count = 1, ms = 1000 }: Fault): void {
    if (!FAULT_KINDS.includes(kind))
      throw new Error(`unknown fault ${String(kind)}: use one of ${FAULT_KINDS.join(', ')}`);
    this.waiting.push({ kind, route: new RegExp(route), method, left: count === 'always' ? Infinity : count, ms });
  }

  clear(): void {
    this.waiting = [];
  }

  /**
   * @param called a model's method; '' when the call is none
   * @param writes whether the call changes an order
   */
  take(path: string, called = '', writes = false): { kind: FaultKind; ms: number } | undefined {
    const fault = this.waiting.find(
      ({ kind, left, route, method }) =>
        left > 0 && route.test(path) && (method === undefined || method === called) && (writes || kind !== 'forgets'),
    );
    if (fault) fault.left -= 1;
    return fault;
  }
}
