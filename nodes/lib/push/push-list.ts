/**
 * The rows of a message, pushed side by side. A row that waits or is being pushed already, for whichever message, is not
 * pushed twice.
 */
import type { PushResult } from './leased';

/** A batch as it is named in a message: by the id of its row, or by its order. */
export type Named = { id: string; mo_id?: string } | { id?: undefined; mo_id: string };

/** What came of one row; `skipped` 'waiting': it had no turn. */
export type ListedResult = Omit<PushResult, 'skipped'> & { skipped?: PushResult['skipped'] | 'waiting' };

export interface Ended {
  result: ListedResult;
  /** What the push threw: the row keeps what it holds, and the others go on. */
  failure?: Error;
}

export class PushList {
  readonly #underWay = new Set<string>();

  /**
   * @param push pushes one row
   * @param signal its reason, when it is thrown, means that a row had no turn
   * @param onEnd told of each row when it ends, and how many have ended
   */
  run(
    rows: readonly Named[],
    push: (which: { id: string } | { mo_id: string }) => Promise<PushResult>,
    signal: AbortSignal,
    onEnd: (ended: Ended, count: number) => void,
  ): Promise<Ended[]> {
    let count = 0;
    return Promise.all(
      rows.map(async (row) => {
        const ended = await this.#one(row, push, signal);
        onEnd(ended, (count += 1));
        return ended;
      }),
    );
  }

  async #one(
    { id, mo_id }: Named,
    push: (which: { id: string } | { mo_id: string }) => Promise<PushResult>,
    signal: AbortSignal,
  ): Promise<Ended> {
    const row = id ?? mo_id;
    const told = { mo_id: mo_id ?? '', ...(id ? { id } : {}), db_saved: false };
    const waiting = (reason: string): Ended => ({
      result: { ...told, conclusion: 'busy', reason, skipped: 'waiting' },
    });
    if (this.#underWay.has(row)) return waiting('waiting already: an earlier message names it, it is pushed once');
    this.#underWay.add(row);
    try {
      return { result: await push(id ? { id } : { mo_id: row }) };
    } catch (error) {
      if (error === signal.reason) return waiting('the node closed before its turn');
      const failure = error as Error;
      return { result: { ...told, conclusion: 'unknown-outcome', reason: failure.message }, failure };
    } finally {
      this.#underWay.delete(row);
    }
  }
}
