/**
 * What the use cases need of an Odoo, whichever interface it offers: `nodes/lib/odoo` implements it once for each. No use
 * case asks which one it is.
 */
import type { Unweighed } from './closing';
import type { Concluded } from './conclusion';
import type { Consignment } from './consumption';
import type { ListedOrder, OrderKey, OrderMove, Production, Unit } from './order';
import type { SiloMap, SiloTag, SiloWeights } from './silos';

/** A read that failed, as an exception: an error is never "no orders". */
export class OdooError extends Error {
  readonly concluded: Concluded;

  constructor(what: string, { conclusion, reason }: Concluded) {
    super(`${what}: ${reason || conclusion}`);
    this.name = 'OdooError';
    this.concluded = { conclusion, reason };
  }
}

/** How calls are made. */
export interface Calling {
  /** Gives a running call up: an unknown outcome. */
  signal?: AbortSignal;
  /** Awaited right before every request; throwing ends the work (a lost lease). */
  beforeSend?: () => Promise<void>;
}

/** What of an order tells whose it is, where Odoo has no equipment. */
export type LineKey = 'operation-type' | 'work-center' | 'field';

/** Which orders are a line's. */
export interface LineFilter {
  /** '': every line. */
  line: string;
  /** Only where Odoo has no equipment; by operation type when it is not told. */
  by?: LineKey;
  /** The field of the order; only with `by: 'field'`. */
  field?: string;
}

/** An order with everything that decides whether it can be queued. */
export interface FoundOrder {
  listed: ListedOrder;
  production: Production;
  moves: OrderMove[];
  byproducts: OrderMove[];
}

/** An order as Odoo holds it. */
export interface OrderState {
  production: Production | undefined;
  /** Its components, in all states. A figure that Odoo would not book counts as 0. */
  moves: OrderMove[];
  /** kg per silo, summed over the moves. */
  consumption: SiloWeights;
  /** Orders that Odoo has made of what was left, when a person closed this one. */
  remainders: Production[];
}

/** What Odoo holds of an order that it does not know. */
export const NO_ORDER: OrderState = { production: undefined, moves: [], consumption: {}, remainders: [] };

export interface OdooOrders {
  /** Which Odoo this is, named alike by every Node-RED: its orders are closed one at a time. */
  readonly place: string;
  /** Limit of one call (ms). */
  readonly timeoutMs: number;

  /**
   * Orders of a line that may be weighed ('': of all lines; with the addon those that are not begun, which is all it lists),
   * or the given ones as `states` has just told them. Two of one name are both there.
   * @throws OdooError
   */
  orders(which: LineFilter | { productions: readonly Production[] }, call?: Calling): Promise<FoundOrder[]>;

  /**
   * Orders with these ids, and every one that has one of these names, in whatever state; unknown ones are absent. Nothing
   * asked, no call. @throws OdooError
   */
  states(which: { ids?: readonly number[]; names?: readonly string[] }, call?: Calling): Promise<Production[]>;

  /** The components of orders, by the order's id. @throws OdooError */
  moves(ids: readonly number[], call?: Calling): Promise<Map<number, OrderMove[]>>;

  /** Units of measure by id. @throws OdooError */
  units(ids: readonly number[], call?: Calling): Promise<Map<number, Unit>>;

  /**
   * Days until what this logs in with ends, where Odoo tells; below 0: it has, and goes on working for a while. undefined:
   * it does not end, as far as anybody knows.
   */
  keyDaysLeft(call?: Calling): Promise<number | undefined>;

  /** One order, to work on. No call is made yet. */
  visit(key: OrderKey, silos: SiloMap, how: VisitOptions): OrderVisit;
}

/** What may be done to an order on the way. */
export interface Handling {
  /** Give back what is reserved for the order, where several lots or places stand in the way of a figure. */
  unreserve: boolean;
  /** Make a lot named after the order, where its product is tracked by lot and it has none. Absent: yes. */
  makeLot?: boolean;
  /** Do not close an order whose components took more than the lots reserved for them hold. */
  refuseExcess?: boolean;
}

export interface VisitOptions extends Calling, Handling {
  /** Told of every call that could change something, with what its answer means. `call`: its name in the trail. */
  onAnswer: (call: string, said: Concluded) => void;
}

/** What Odoo took of a set. */
export interface Taken extends Concluded {
  /** Zeros that were not told, because this interface cannot: whether they are 0 has to be read. */
  untold: readonly SiloTag[];
}

export interface DeliverOptions {
  /** kg of finished goods so far; undefined: not told. */
  finished?: number;
  /** The last figures before the order is closed: nothing known of it from before is relied on. */
  final?: boolean;
  /** The order as it was just read, holding other figures: what differs is put right, zeros included. */
  held?: OrderState;
}

/** One order in Odoo while something is done to it. Reads throw OdooError, writes return what their answer means. */
export interface OrderVisit {
  /** The order, as far as it is known: its id, and what it is called there by now. */
  readonly order: { id: number | undefined; name: string };

  /** By its id, else by its name. undefined: Odoo does not know it. @throws OdooError also when another has its name */
  find(): Promise<Production | undefined>;

  /** @throws OdooError */
  read(): Promise<OrderState>;

  /** Enters the full set of weights. Replaces, so it may be repeated; a silo that is not in it is left alone. */
  deliver(set: Consignment, options?: DeliverOptions): Promise<Taken>;

  /** Takes the finished goods back to 0. Whether they are has to be read. */
  takeFinishedBack(): Promise<Concluded>;

  /** What the order makes besides its product. @throws OdooError */
  byproducts(): Promise<OrderMove[]>;

  /** Units of measure by id. @throws OdooError */
  units(ids: readonly number[]): Promise<Map<number, Unit>>;

  /** Enters what no silo weighs, and looks whether it is there: 'not-done' when it is not. @throws OdooError */
  book(list: readonly Unweighed[]): Promise<Concluded>;

  /**
   * Marks the order done, whose set and finished goods have just been read back, and reads what came of it.
   * @param mayForce whether it may be closed although Odoo would ask a person, by what it holds
   * @throws OdooError
   */
  close(finished: number, mayForce: (held: OrderState) => boolean): Promise<Closed>;
}

/** What came of closing an order. */
export interface Closed {
  /** What Odoo said last. */
  said: Concluded;
  /** An order that is still open met another closing: it is worth a repeat soon. */
  collided: boolean;
  /** The order afterwards: it alone tells whether it is done. */
  held: OrderState;
}
