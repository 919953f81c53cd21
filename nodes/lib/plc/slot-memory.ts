/**
 * What a running reader knows of its slots from its earlier reads. It ends with the process: what has to outlive it is the
 * store's to remember.
 */
import { cleared, sameBatch } from './slot-judgement';
import { sameFigures, type Rejection, type SlotOutcome, type SlotReading } from './slot-guards';

interface Known {
  /** The reading passed on last, until the slot shows no number; with status_manufacturing true an accepted completion. */
  last?: SlotReading;
  /** The reading passed on last, also when the slot has been emptied since: weights may outlive their number. */
  told?: SlotReading;
  /** Its acknowledge bit was read as 1, or set by this reader. */
  acknowledged?: boolean;
  /** This reader has told the PLC so by clearing the bit that said "complete". */
  cleared?: boolean;
  /** The refused batch without a number that was told last: its figures as text. */
  refused?: string;
}

export class SlotMemory {
  readonly #slots = new Map<number, Known>();

  #of(slot: number): Known {
    const known = this.#slots.get(slot) ?? {};
    this.#slots.set(slot, known);
    return known;
  }

  /** The reading passed on last, while its order is in the slot. */
  last(slot: number): SlotReading | undefined {
    return this.#slots.get(slot)?.last;
  }

  /** Whether anything was passed on of this slot. */
  knows(slot: number): boolean {
    return this.#slots.get(slot)?.told !== undefined;
  }

  /**
   * Whether one read of this slot is not enough: another order than before, or a completion that was not accepted yet.
   * @param whole its bytes are of one moment; otherwise one read is enough for what was told before
   */
  doubts(slot: number, outcome: SlotOutcome, whole = true): boolean {
    const last = this.last(slot);
    if (outcome.kind === 'empty') return false;
    if (!whole) return !(outcome.kind === 'reading' && last && sameBatch(last, outcome.reading));
    if (outcome.kind === 'rejected') return outcome.rejection.mo_id !== last?.mo_id;
    const { reading } = outcome;
    if (last?.mo_id !== reading.mo_id || last.counter !== reading.counter) return true;
    return reading.status_manufacturing && !(last.status_manufacturing && sameFigures(last, reading));
  }

  /**
   * Whether a slot is free although it shows something: the weights of its last order without the number, or the number
   * of an order that is known to be gone while its weights are cleared.
   */
  isFree(slot: number, outcome: SlotOutcome): boolean {
    const { last, told, cleared: isCleared } = this.#slots.get(slot) ?? {};
    if (outcome.kind === 'rejected') {
      const { unnamed } = outcome;
      if (!told || !unnamed || !sameFigures(told, unnamed)) return false;
      // A completion that nobody was told of is no leftover.
      return told.status_manufacturing || told.seen_once === true || !unnamed.status_manufacturing;
    }
    if (outcome.kind === 'empty') return true;
    const { reading } = outcome;
    if (last?.mo_id !== reading.mo_id) return false;
    if (last.seen_once) return cleared(last, reading);
    // Its "complete" was taken back by the acknowledgement: what it still shows is the batch that was accepted.
    if (!isCleared || reading.status_manufacturing || last.counter !== reading.counter) return false;
    return sameFigures(last, reading) || cleared(last, reading);
  }

  tell(reading: SlotReading): void {
    const { acknowledged } = this.#of(reading.slot);
    this.#slots.set(reading.slot, {
      last: reading,
      told: reading,
      acknowledged: reading.acknowledged ?? acknowledged ?? false,
    });
  }

  /** The slot shows no number. @param clear and nothing else that was refused */
  empty(slot: number, clear = true): void {
    const known = this.#of(slot);
    delete known.last;
    if (clear) delete known.refused;
    known.acknowledged = false;
    known.cleared = false;
  }

  /** @param byClearing its "complete" with that */
  acknowledge(slot: number, byClearing: boolean): void {
    const known = this.#of(slot);
    known.acknowledged = true;
    known.cleared = byClearing;
  }

  /** Whether the slot's acknowledge bit reads 0 again after it was 1: its batch has been released. */
  isReleased({ slot, acknowledged }: SlotReading): boolean {
    return acknowledged === false && this.#slots.get(slot)?.acknowledged === true;
  }

  /** Whether a batch without a number is refused for the first time, or shows other figures than when it was. */
  refuses({ slot, raw }: Rejection): boolean {
    const known = this.#of(slot);
    const changed = known.refused !== raw;
    known.refused = raw;
    return changed;
  }
}
