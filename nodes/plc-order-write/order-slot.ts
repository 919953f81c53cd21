/** One order slot, brought as far as it goes by itself: read, ask the pure function, do that one thing, read again. */
import type { Batch } from '../lib/domain/batch';
import {
  type Clearing,
  type HandedOrder,
  type HandoverProblem,
  nextStep,
  type OrderSlot,
} from '../lib/domain/handover';
import type { OrderArea } from '../lib/plc/order-area';
import type { OrderLayout } from '../lib/plc/order-layout';
import { encodeOrder, type OrderLimits, type OrderRefusal, recordOf } from '../lib/plc/order-record';
import { type AreaLease, type DatabaseHandoverLedger, handedOrder, type Standing } from '../lib/store/handover';

/** What an area of order slots is worked on with. */
export interface Tools {
  ledger: DatabaseHandoverLedger;
  area: OrderArea;
  layout: OrderLayout;
  limits: OrderLimits;
  clearing: Clearing;
  /** How long the slots are ours after every look at the database (ms). */
  ttlMs: number;
}

/** What happened to an order. */
export interface Told {
  mo_id: string;
  batch_no: number;
  slot: number;
  state: 'handed' | 'taken' | 'withdrawn';
}

/** What only a person can tell or mend. */
export interface Asked {
  mo_id: string;
  slot: number;
  code: HandoverProblem | 'not-kept';
}

/** How a slot is left. `foreign`: it holds a number that the database does not know. */
export type Left = { slot: number } & (
  { as: 'free' | 'offered' | 'uncleared' | 'asked' } | { as: 'foreign'; number: string }
);

/** Another writer has the slots by now: nothing more may be sent. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

/** More steps than an order takes from one state to any other: what goes on longer is written over from elsewhere. */
const MOST_STEPS = 16;

/** What a slot's order is by the database, and as bytes. */
interface Side {
  order?: HandedOrder;
  batch?: Batch;
  bytes?: Buffer;
}

export class SlotWork {
  readonly told: Told[] = [];
  readonly asked: Asked[] = [];
  /** A write was sent and nobody knows what became of it: it may still land. */
  unanswered = false;
  readonly #tools: Tools;
  readonly #lease: AreaLease;
  readonly #ending: AbortSignal;
  /** Orders that were offered and not yet seen so. */
  readonly #offered: Set<string>;

  constructor(tools: Tools, lease: AreaLease, ending: AbortSignal, offered: Set<string>) {
    [this.#tools, this.#lease, this.#ending, this.#offered] = [tools, lease, ending, offered];
  }

  /**
   * @param refused orders that the layout cannot carry; undefined: no order is to be named for a free slot
   * @throws PlcError, LeaseLost
   */
  async tend(slot: number, refused?: readonly string[]): Promise<Left> {
    const { area, ledger, clearing } = this.#tools;
    let settle = false;
    let last: Batch | undefined;
    for (let steps = 0; steps < MOST_STEPS; steps += 1) {
      const seen = settle ? await area.settle(slot, this.#ending) : await area.read(slot, this.#ending);
      settle = false;
      const standing = await ledger.standing(this.#lease, slot, seen.number);
      const side = this.#side(standing, seen);
      const strayed = standing !== undefined && 'batch' in standing && standing.strayed;
      const step = nextStep(side.order, { ...seen, strayed }, clearing);
      last = side.batch;
      if (step.do === 'claim') {
        const next = refused && (await ledger.claim(this.#lease, slot, refused));
        if (!next) return { slot, as: 'free' };
      } else if (step.do === 'settle') settle = true;
      else if (step.do === 'wait') {
        if (step.why === 'foreign') return { slot, as: 'foreign', number: seen.number };
        if (step.why === 'offered') this.#sawOffered(side.batch!, slot);
        return { slot, as: step.why };
      } else if (step.do === 'ask') return await this.#ask(side, slot, step.problem);
      else if (step.do === 'let-go' && !side.batch) return { slot, as: 'free' };
      else await this.#act(step.do, slot, side);
    }
    this.asked.push({ mo_id: last?.mo_id ?? '', slot, code: 'not-kept' });
    return { slot, as: 'asked' };
  }

  /** What the database says of a slot, for the pure function. */
  #side(standing: Standing, seen: OrderSlot): Side {
    if (!standing) return {};
    if ('known' in standing) {
      const { known: number } = standing;
      const taken = seen.taken || seen.echo === number;
      return { order: { number, record: '', ready: seen.ready, taken, back: 'closed' } };
    }
    const { layout, limits } = this.#tools;
    const encoded = encodeOrder(standing.batch, layout, limits);
    // What can no longer be told as it stands comes back, and is refused by name when its turn comes again.
    if ('refused' in encoded) {
      const order = handedOrder(standing.batch, '');
      return { batch: standing.batch, order: { ...order, back: order.back ?? 'plan' } };
    }
    const order = handedOrder(standing.batch, recordOf(encoded.bytes, layout));
    return { batch: standing.batch, order, bytes: encoded.bytes };
  }

  /** One write, or one statement. */
  async #act(
    what: 'write' | 'offer' | 'unready' | 'clear' | 'note-taken' | 'note-withdrawn' | 'let-go',
    slot: number,
    { batch, bytes }: Side,
  ): Promise<void> {
    const { area, ledger } = this.#tools;
    const mayI = (): Promise<void> => this.#mayI();
    const [ending, lease] = [this.#ending, this.#lease];
    if (what === 'write') await area.write(slot, bytes!, mayI, ending);
    else if (what === 'unready') await area.ready(slot, false, mayI, ending);
    else if (what === 'clear') await area.clear(slot, mayI, ending);
    else if (what === 'offer') {
      await area.refuseStop(ending);
      if (!(await ledger.offer(lease, batch!))) return;
      this.#offered.add(batch!.id);
      await area.ready(slot, true, mayI, ending);
    } else if (what === 'note-taken') {
      if (await ledger.taken(lease, batch!)) this.#tell(batch!, slot, 'taken');
      this.#offered.delete(batch!.id);
    } else if (what === 'note-withdrawn') {
      if (await ledger.withdrawn(lease, batch!)) this.#tell(batch!, slot, 'withdrawn');
      this.#offered.delete(batch!.id);
    } else await ledger.letGo(lease, batch!);
    this.unanswered = false;
  }

  async #mayI(): Promise<void> {
    if (!(await this.#tools.ledger.renew(this.#lease, this.#tools.ttlMs))) throw new LeaseLost();
    this.unanswered = true;
  }

  async #ask({ batch, order }: Side, slot: number, code: HandoverProblem): Promise<Left> {
    if (batch) await this.#tools.ledger.ask(this.#lease, batch, code);
    this.asked.push({ mo_id: order?.number ?? '', slot, code });
    return { slot, as: 'asked' };
  }

  #sawOffered(batch: Batch, slot: number): void {
    if (this.#offered.delete(batch.id)) this.#tell(batch, slot, 'handed');
  }

  #tell({ mo_id, batch_no }: Batch, slot: number, state: Told['state']): void {
    this.told.push({ mo_id, batch_no, slot, state });
  }
}

/** The orders that are to be handed over and that the layout cannot carry, each with every reason. */
export const unfit = (
  waiting: readonly Batch[],
  { layout, limits }: Pick<Tools, 'layout' | 'limits'>,
): { mo_id: string; refused: OrderRefusal[] }[] =>
  waiting.flatMap((batch) => {
    const encoded = encodeOrder(batch, layout, limits);
    return 'refused' in encoded ? [{ mo_id: batch.mo_id, refused: encoded.refused }] : [];
  });
