/** What can be weighed of the orders that are open in an Odoo: for whoever sets it up. */
import type { Calling, FoundOrder, LineFilter, OdooOrders } from '../domain/odoo-orders';

/** A component of open orders. */
export interface Component {
  product: string;
  /** What stands for its silo, '' where nothing does. */
  code: string;
}

/** A line, with the codes of its silo-map; without them whatever tells a silo is known. */
export interface SurveyedLine extends LineFilter {
  codes?: readonly string[];
}

export interface Survey {
  line: string;
  /** How many orders are open. */
  orders: number;
  /** Their components whose silo is known. */
  known: Component[];
  /** The others: nothing will be weighed of them. */
  unknown: Component[];
}

/** @throws OdooError */
export async function survey(odoo: OdooOrders, { codes, ...filter }: SurveyedLine, call?: Calling): Promise<Survey> {
  const orders = await odoo.orders(filter, call);
  const components = componentsOf(orders);
  const isKnown = ({ code }: Component): boolean => (codes ? codes.includes(code) : code !== '');
  return {
    ...{ line: filter.line, orders: orders.length },
    known: components.filter(isKnown),
    unknown: components.filter((component) => !isKnown(component)),
  };
}

/** Each once, by code. */
function componentsOf(orders: readonly FoundOrder[]): Component[] {
  const found = new Map<string, Component>();
  for (const { product, code } of orders.flatMap(({ moves }) => moves)) {
    found.set(`${code}\n${product}`, { product, code });
  }
  return [...found.values()].sort((a, b) => (a.code < b.code ? -1 : 1));
}
