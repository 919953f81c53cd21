/**
 * The rows of a message, pushed side by side. A row that waits or is being pushed already, for whichever message, is not
 * pushed twice.
 */
import type { Named, Outcome } from './outcome';

export class PushList {
  readonly #underWay = new Set<string>();

  /**
   * @param push pushes one row
   * @param signal its reason, when it is thrown, means that a row had no turn
   * @param onEnd told of each row when it ends, and how many have ended
   */
  run(
    rows: readonly Named[],
    push: (named: Named) => Promise<Outcome>,
    signal: AbortSignal,
    onEnd: (outcome: Outcome, count: number) => void,
  ): Promise<Outcome[]> {
    let count = 0;
    return Promise.all(
      rows.map(async (row) => {
        const outcome = await this.#one(row, push, signal);
        onEnd(outcome, (count += 1));
        return outcome;
      }),
    );
  }

  async #one(named: Named, push: (named: Named) => Promise<Outcome>, signal: AbortSignal): Promise<Outcome> {
    const row = named.id ?? named.mo_id;
    if (this.#underWay.has(row)) return { kind: 'skipped', named, why: 'waiting' };
    this.#underWay.add(row);
    try {
      return await push(named);
    } catch (error) {
      if (error === signal.reason) return { kind: 'skipped', named, why: 'closed' };
      return { kind: 'failed', named, error: error instanceof Error ? error : new Error(String(error)) };
    } finally {
      this.#underWay.delete(row);
    }
  }
}
