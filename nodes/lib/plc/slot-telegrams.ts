/**
 * The telegrams of a slot reader over the connection of an S7 endpoint: whole slots, several to a telegram, each round of
 * telegrams within a time limit.
 */
import { type ReadVarAnswer, type S7Endpoint } from '@st-one-io/nodes7';
import { ITEM_OK, itemRefused, offline, PlcError, stopped, timedOut, tooSlow, toPlcError } from './plc-errors';
import { guardEndpoint } from './endpoint-guard';
import { AREA_DB, TRANSPORT_BIT, TRANSPORT_BYTE, writeItem } from './slot-flag';
import { OperatingMode } from './operating-mode';
import { type SlotField, type SlotLayout } from './slot-layout';
import { imageOf, type SlotImage } from './slot-places';
import { within } from './time-limit';
import { type Item, planTelegrams, roomOf, type TelegramPlan } from './telegram-plan';

/** A slot's image, and when the last of it arrived (ISO 8601, UTC). */
export interface SlotAnswer {
  slot: number;
  bytes: Buffer;
  at: string;
}

/** One look at some slots, in their order. */
export interface Look {
  answers: readonly SlotAnswer[];
  /** Read telegrams sent. */
  telegrams: number;
  /** Every slot came as one item; otherwise its parts may be of two moments. */
  whole: boolean;
}

/** The images of a look while its telegrams arrive. */
class Images {
  /** In the order of the slots asked for. */
  readonly answers: readonly SlotAnswer[];
  readonly #bySlot: SlotAnswer[] = [];
  readonly #missing: Set<readonly Item[]>;

  constructor(slots: readonly number[], bytes: number, { telegrams }: TelegramPlan) {
    const memory = Buffer.alloc(slots.length * bytes);
    const at = new Date().toISOString();
    this.answers = slots.map((slot, n) => ({ slot, bytes: memory.subarray(n * bytes, (n + 1) * bytes), at }));
    for (const answer of this.answers) this.#bySlot[answer.slot] = answer;
    this.#missing = new Set(telegrams);
  }

  /** @param data of each item */
  fill(items: readonly Item[], data: readonly Buffer[]): void {
    const now = new Date().toISOString();
    items.forEach(({ parts }, index) => {
      for (const { slot, from, at, length } of parts) {
        const answer = this.#bySlot[slot]!;
        data[index]!.copy(answer.bytes, at, from, from + length);
        answer.at = now;
      }
    });
    this.#missing.delete(items);
  }

  /** How many slots have arrived whole. */
  get answered(): number {
    const parts = [...this.#missing].flat().flatMap((item) => item.parts);
    return this.answers.length - new Set(parts.map(({ slot }) => slot)).size;
  }
}

/** An item's bytes. @throws PlcError when the CPU refused it, or answered with another length */
function dataOf({ db, address, length, parts }: Item, answer: ReadVarAnswer | undefined): Buffer {
  if (answer?.returnCode === ITEM_OK && answer.data.length === length) return answer.data;
  const slots = [...new Set(parts.map(({ slot }) => slot))].join(', ');
  const where = `reading DB${db} bytes ${address}..${address + length - 1} (slot ${slots})`;
  if (answer && answer.returnCode !== ITEM_OK) throw itemRefused(answer.returnCode, db, where);
  throw new PlcError('protocol', `PLC: ${where} was answered with ${answer?.data.length ?? 0} bytes`);
}

export class SlotTelegrams {
  readonly #endpoint: S7Endpoint;
  readonly #layout: SlotLayout;
  /** Where every field of the layout is in an answer's bytes. */
  readonly image: SlotImage;
  readonly #timeoutMs: number;
  readonly #leaveGuard: () => void;
  readonly #mode: OperatingMode;
  #lastPlan: { slots: readonly number[]; pdu: number; plan: TelegramPlan } | undefined;
  #endpointError: unknown;
  readonly #onError = (error: unknown): void => void (this.#endpointError = error);
  readonly #onConnect = (): void => void (this.#endpointError = undefined);

  /** @param timeoutMs for the telegrams of one round */
  constructor(endpoint: S7Endpoint, layout: SlotLayout, timeoutMs: number) {
    this.#endpoint = endpoint;
    this.#layout = layout;
    this.image = imageOf(layout);
    this.#timeoutMs = timeoutMs;
    this.#mode = new OperatingMode(endpoint, timeoutMs);
    endpoint.on('error', this.#onError);
    endpoint.on('connect', this.#onConnect);
    this.#leaveGuard = guardEndpoint(endpoint);
  }

  /** Leaves the endpoint as it was. May be called twice. */
  close(): void {
    this.#endpoint.off('error', this.#onError);
    this.#endpoint.off('connect', this.#onConnect);
    this.#leaveGuard();
  }

  /** @throws PlcError when any telegram fails; the signal's reason when it was aborted */
  async read(slots: readonly number[], ending: AbortSignal): Promise<Look> {
    const where = slots.length === 1 ? `slot ${slots[0]} of DB${this.#layout.db}` : this.#block();
    if (!this.#endpoint.isConnected) throw offline(`reading ${where}`, this.#endpointError);
    const plan = this.#plan(slots);
    const images = new Images(slots, this.image.bytes, plan);
    const late = (): PlcError => {
      const { answered } = images;
      return answered > 0 && slots.length > 1
        ? tooSlow(`reading ${where}`, { answered, slots: slots.length, ms: this.#timeoutMs })
        : timedOut(`reading ${where}`, this.#timeoutMs);
    };
    const fetched = Promise.all(plan.telegrams.map((items) => this.#fetch(items, images)));
    try {
      await this.#limited(fetched, `reading ${where}`, ending, late);
      return { answers: images.answers, telegrams: plan.telegrams.length, whole: plan.whole };
    } catch (error) {
      // A CPU in STOP may refuse what it answers in RUN: then STOP is the cause to name.
      const refused = error instanceof PlcError && ['access', 'missing-block', 'protocol'].includes(error.kind);
      if (refused && (await this.#mode.isStop(ending))) throw stopped(where, error);
      throw error;
    }
  }

  /** Writes into a flag what makes it on. @throws PlcError when the CPU does not confirm it */
  async write(slot: number, row: SlotField, ending: AbortSignal): Promise<string> {
    const item = writeItem(this.#layout, slot, row);
    const address = item.transport === TRANSPORT_BIT ? item.address >> 3 : item.address;
    const where = `acknowledging slot ${slot} (DB${item.db}, byte ${address})`;
    const [written] = await this.#limited(this.#endpoint.writeVars([item]), where, ending);
    if (written?.returnCode !== ITEM_OK) throw itemRefused(written?.returnCode ?? 0, item.db, where);
    return where;
  }

  /** @throws PlcError when the CPU says that it is in STOP, where memory can be read too */
  async refuseStop(ending: AbortSignal): Promise<void> {
    if (await this.#mode.isStop(ending)) throw stopped(this.#block());
  }

  /** As it was the time before, where nothing has changed: most looks are at all slots. */
  #plan(slots: readonly number[]): TelegramPlan {
    const pdu = this.#endpoint.pduSize ?? 0;
    const last = this.#lastPlan;
    if (last?.slots === slots && last.pdu === pdu) return last.plan;
    try {
      const plan = planTelegrams(this.image.areas, slots, pdu);
      this.#lastPlan = { slots, pdu, plan };
      return plan;
    } catch (error) {
      const text = `PLC: ${(error as Error).message} (PDU ${pdu} - ${pdu - roomOf(pdu)}). Read fewer characters of that text.`;
      throw new PlcError('too-big', text, { cause: error });
    }
  }

  /**
   * One telegram. Not by an S7ItemGroup: it splits an item where a telegram is full, and takes an answer that is too short
   * for the zeros its buffer started with.
   */
  async #fetch(items: readonly Item[], images: Images): Promise<void> {
    const answers = await this.#endpoint.readVars(
      items.map(({ db, address, length }) => ({ area: AREA_DB, db, transport: TRANSPORT_BYTE, address, length })),
    );
    images.fill(
      items,
      items.map((item, index) => dataOf(item, answers[index])),
    );
  }

  /** Whether the CPU says it is in STOP; one that does not tell counts as running. Asked of one that answers reads. */
  /** Waits for work no longer than the time limit or the abort; what it still brings later is dropped. */
  async #limited<T>(
    work: Promise<T>,
    where: string,
    ending: AbortSignal,
    late: () => PlcError = () => timedOut(where, this.#timeoutMs),
  ): Promise<T> {
    try {
      return await within(work, this.#timeoutMs, ending, late);
    } catch (error) {
      throw ending.aborted ? error : toPlcError(error, this.#layout.db, where, this.#endpointError);
    }
  }

  #block(): string {
    return `${this.#layout.slots} slots of DB${this.#layout.db}`;
  }
}
