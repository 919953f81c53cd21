/**
 * Which items travel in which telegram: as few telegrams as the negotiated PDU allows, and no whole slot in two of them.
 *
 * A PDU (S7 communication, without TPKT and COTP) holds, of a request to read, 10 bytes header, 2 of parameter and 12 per
 * item; of its answer, 12 bytes header, 2 of parameter and 4 per item before the data, which is padded to an even length
 * but for the last item's (nodes7, s7protocol/s7serializer.js and s7parser.js; Wireshark, packet-s7comm.c).
 */
import { type Area, type Span } from './slot-places';

const REQUEST_HEAD = 12;
const REQUEST_ITEM = 12;
const ANSWER_HEAD = 14;
const ANSWER_ITEM = 4;
/** No S7 CPU takes more variables in one job. */
const MOST_ITEMS = 20;
/** Two items this near one another cost no less than one that takes the bytes between them as well: its answer's head. */
const NEAR = ANSWER_ITEM;

/** Bytes of one slot that an item carries. */
export interface ItemPart {
  slot: number;
  /** Where they lie in the item, and in the slot's image. */
  from: number;
  at: number;
  length: number;
}

/** One item of a telegram. */
export interface Item {
  db: number;
  /** Bytes from the start of the block. */
  address: number;
  length: number;
  parts: ItemPart[];
}

export interface TelegramPlan {
  telegrams: Item[][];
  /** Every slot is one item: its bytes are of one moment, as far as the CPU keeps them so. */
  whole: boolean;
}

/** Bytes that one telegram with a single item carries. */
export const roomOf = (pdu: number): number => pdu - ANSWER_HEAD - ANSWER_ITEM;

const even = (bytes: number): number => bytes + (bytes % 2);

/** What of an area is fetched: all of it, or, where that is too much for one item, its fields in as few runs as fit. */
function runsOf({ bytes, fields }: Area, room: number): Span[] {
  if (bytes <= room) return [{ from: 0, to: bytes }];
  const runs: Span[] = [];
  for (const { from, to } of fields) {
    const run = runs.at(-1);
    if (run && Math.max(run.to, to) - run.from <= room) run.to = Math.max(run.to, to);
    else runs.push({ from, to });
  }
  return runs;
}

/** Items that lie next to one another in a block become one, as far as it fits a telegram. */
function joined(items: readonly Item[], room: number): Item[] {
  const sorted = [...items].sort((a, b) => a.db - b.db || a.address - b.address);
  const result: Item[] = [];
  for (const item of sorted) {
    const last = result.at(-1);
    const [shift, end] = [item.address - (last?.address ?? 0), item.address + item.length];
    const near = last?.db === item.db && shift <= last.length + NEAR;
    if (last && near && end - last.address <= room) {
      last.length = Math.max(last.length, shift + item.length);
      last.parts.push(...item.parts.map((part) => ({ ...part, from: part.from + shift })));
    } else result.push({ ...item, parts: [...item.parts] });
  }
  return result;
}

/** Items in their order, as many to a telegram as request and answer take. */
function packed(items: readonly Item[], pdu: number): Item[][] {
  const telegrams: Item[][] = [];
  const most = Math.min(MOST_ITEMS, Math.floor((pdu - REQUEST_HEAD) / REQUEST_ITEM));
  let used = Infinity;
  for (const item of items) {
    // All but the last are padded: the one before this one is not the last any more.
    const answer = even(used) + ANSWER_ITEM + item.length;
    const current = telegrams.at(-1);
    if (current && current.length < most && answer <= pdu) {
      current.push(item);
      used = answer;
    } else {
      telegrams.push([item]);
      used = ANSWER_HEAD + ANSWER_ITEM + item.length;
    }
  }
  return telegrams;
}

/**
 * Plans one look at some slots.
 * @param areas of every slot
 * @param slots numbers from 1
 * @param pdu as negotiated (bytes)
 * @throws RangeError when a single field is longer than a telegram carries
 */
export function planTelegrams(areas: readonly Area[], slots: readonly number[], pdu: number): TelegramPlan {
  const room = roomOf(pdu);
  const widest = Math.max(0, ...areas.flatMap(({ fields }) => fields.map(({ from, to }) => to - from)));
  if (widest > room) throw new RangeError(`a field takes ${widest} bytes, one telegram carries ${room}`);
  const runs = areas.flatMap((area) => runsOf(area, room).map((run) => ({ ...area, ...run })));
  const items = slots.flatMap((slot) =>
    runs.map(({ db, start, stride, at, from, to }) => ({
      ...{ db, address: start + (slot - 1) * stride + from, length: to - from },
      parts: [{ slot, from: 0, at: at + from, length: to - from }],
    })),
  );
  const whole = runs.length === 1;
  return { telegrams: packed(whole ? items : joined(items, room), pdu), whole };
}
