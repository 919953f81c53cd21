/** What the simulated Odoo was called with, and how many calls that write one order ran at the same time. */

/** One call. Times are milliseconds since 1970. `outcome` is `result.status`, an error code, or what was cut. */
export interface Call {
  at: number;
  route: string;
  mo_id: string | null;
  user: string | null;
  outcome: string;
  /** How long Odoo itself takes for it, by its settings (ms). */
  takes: number;
}

/** How many calls are remembered: enough for a long test, bounded for a day's run. */
const KEPT = 20_000;

export class CallLog {
  readonly calls: Call[] = [];
  private readonly running = new Map<string, number>();
  private most = 0;

  /** Enters a call; `writes` when it changes the order. */
  begin(call: Omit<Call, 'outcome'>, writes: boolean): { call: Call; end: () => void } {
    const entry = { ...call, outcome: 'running' };
    this.calls.push(entry);
    if (this.calls.length > KEPT) this.calls.shift();
    const order = writes ? call.mo_id : null;
    if (order === null) return { call: entry, end: () => undefined };
    const count = (this.running.get(order) ?? 0) + 1;
    this.running.set(order, count);
    this.most = Math.max(this.most, count);
    return {
      call: entry,
      end: () => {
        const left = (this.running.get(order) ?? 1) - 1;
        if (left === 0) this.running.delete(order);
        else this.running.set(order, left);
      },
    };
  }

  /** The highest number of writing calls of one order that were under way at once, seen from the client's side. */
  maxConcurrentPerOrder(): number {
    return this.most;
  }
}
