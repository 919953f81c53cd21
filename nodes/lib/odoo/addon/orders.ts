/** Orders over the SCADA addon for Odoo 14: lists and writes over its routes, everything else over `call_kw`. */
import type { Calling, FoundOrder, OdooOrders, OrderVisit, VisitOptions } from '../../domain/odoo-orders';
import type { OrderKey, OrderMove, Production, Unit } from '../../domain/order';
import type { SiloMap } from '../../domain/silos';
import type { OdooClient } from './client';
import { CHUNK } from '../search';
import { movesWithCodes } from './moves';
import type { OrderDetail } from './records';
import { AddonVisit } from './visit';

export class AddonOrders implements OdooOrders {
  readonly #client: OdooClient;

  constructor(client: OdooClient) {
    this.#client = client;
  }

  get place(): string {
    return this.#client.session.place;
  }

  get timeoutMs(): number {
    return this.#client.session.timeoutMs;
  }

  async orders(
    which: { line: string } | { productions: readonly Production[] },
    call?: Calling,
  ): Promise<FoundOrder[]> {
    const pairs =
      'line' in which ? await this.#confirmed(which.line, call) : await this.#given(which.productions, call);
    const found: FoundOrder[] = [];
    for (let first = 0; first < pairs.length; first += CHUNK) {
      const chunk = pairs.slice(first, first + CHUNK);
      const moves = await this.#client.moves(
        chunk.map(({ production }) => production.id),
        chunk.map(({ listed }) => listed),
        call,
      );
      const made = chunk.flatMap(({ production }) => production.move_byproduct_ids ?? []);
      const byproducts = await this.#client.movesOf(made, call);
      for (const { listed, production } of chunk) {
        const { id, move_byproduct_ids: ids = [] } = production;
        const own = byproducts.filter((move) => ids.includes(move.id));
        found.push({ listed, production, moves: moves.get(id) ?? [], byproducts: own });
      }
    }
    return found;
  }

  /** The addon's list tells no ids: what has the name of a listed order is told, too. */
  async #confirmed(line: string, call?: Calling): Promise<{ listed: OrderDetail; production: Production }[]> {
    const details = (await this.#client.confirmedOrders(call)).filter(
      ({ equipment }) => !line || (equipment && equipment.code === line),
    );
    const productions = await this.states({ names: [...new Set(details.map(({ mo_id }) => mo_id))] }, call);
    return details.flatMap((listed) =>
      productions.filter(({ name }) => name === listed.mo_id).map((production) => ({ listed, production })),
    );
  }

  async #given(
    productions: readonly Production[],
    call?: Calling,
  ): Promise<{ listed: OrderDetail; production: Production }[]> {
    const found: { listed: OrderDetail; production: Production }[] = [];
    for (const production of productions) {
      const listed = await this.#client.order(production.id, call);
      if (listed) found.push({ listed, production });
    }
    return found;
  }

  states(which: { ids?: readonly number[]; names?: readonly string[] }, call?: Calling): Promise<Production[]> {
    return this.#client.productions(which, call);
  }

  moves(ids: readonly number[], call: Calling = {}): Promise<Map<number, OrderMove[]>> {
    return movesWithCodes(this.#client, ids, [], call);
  }

  units(ids: readonly number[], call?: Calling): Promise<Map<number, Unit>> {
    return this.#client.units(ids, call);
  }

  /** A password. */
  keyDaysLeft(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  visit(key: OrderKey, silos: SiloMap, how: VisitOptions): OrderVisit {
    return new AddonVisit(this.#client, key, silos, how);
  }
}
