/** What odoo-fetch-mo does with one message: fetch orders, check queued ones, compare rows with Odoo. */
import type { LineFilter, OdooOrders } from '../lib/domain/odoo-orders';
import { legible } from '../lib/domain/queueable';
import type { ComparedRow } from '../lib/domain/reconciliation';
import type { SiloMap } from '../lib/domain/silos';
import { clock, type Context, type Input, namedIn, ordersIn, type Outcome } from '../lib/node-red/node-shell';
import { compareWithOdoo } from '../lib/odoo/compare';
import { checkOrders, fetchOrders } from '../lib/odoo/fetch';

/** What an operation works with. */
interface Call {
  orders: OdooOrders;
  silos: SiloMap;
  /** Whose orders are fetched. */
  line: LineFilter;
  /** A check compares the plans too. */
  plans: boolean;
  msg: Input;
  context: Context;
}

const listIn = ({ payload }: Input): unknown[] => (Array.isArray(payload) ? (payload as unknown[]) : [payload]);

/** The rows to compare: one that was found at take-over without an order has nothing that Odoo could be asked for. */
const withOrder = (msg: Input): unknown[] =>
  listIn(msg).filter((row) => (row as { mo_id?: unknown } | null)?.mo_id !== null);

const isNamed = (row: unknown): row is ComparedRow =>
  typeof (row as { mo_id?: unknown } | null | undefined)?.mo_id === 'string';

async function fetch({ orders: odoo, silos, line, msg, context: { t, signal, node } }: Call): Promise<Outcome> {
  const { orders, refused } = await fetchOrders(odoo, silos, { ...line, moIds: namedIn(msg) }, signal);
  await warnOfKey(odoo, { t, signal, node });
  for (const { mo_id, reason } of refused) node.warn(t('status.refused', { mo_id: legible(mo_id), reason }));
  const values = { count: orders.length, refused: refused.length, at: clock() };
  return {
    outputs: [{ payload: orders, refused }],
    status: {
      level: refused.length > 0 ? 'attention' : orders.length > 0 ? 'ok' : 'idle',
      text: t(refused.length > 0 ? 'status.fetched-refused' : 'status.fetched', values),
    },
  };
}

/** From so many days on before its end (days). */
const KEY_ENDS_SOON = 14;

/** An API key that ends stops everything at once: said while there is time. Where nobody may look, nothing is said. */
async function warnOfKey(odoo: OdooOrders, { t, signal, node }: Pick<Context, 't' | 'signal' | 'node'>): Promise<void> {
  const days = await odoo.keyDaysLeft({ signal });
  if (days === undefined || days > KEY_ENDS_SOON) return;
  node.warn(t(days < 0 ? 'status.keyExpired' : 'status.keyDays', { days }));
}

async function check({ orders, silos, plans, msg, context: { t, signal, node } }: Call): Promise<Outcome> {
  const given = listIn(msg);
  const rows = given.filter(isNamed);
  if (given.length > 0 && rows.length === 0) throw new Error(t('error.orders'));
  // One bad entry keeps no other order from being checked.
  if (rows.length < given.length) node.warn(t('status.nameless', { count: given.length - rows.length }));
  const { open, closed } = await checkOrders(orders, silos, rows, signal, plans);
  const values = { count: open.length + closed.length, closed: closed.length, at: clock() };
  return {
    outputs: [{ payload: closed, open }],
    status: { level: closed.length > 0 ? 'attention' : 'ok', text: t('status.checked', values) },
  };
}

async function compare({ orders, silos, msg, context: { t, signal } }: Call): Promise<Outcome> {
  const rows = ordersIn<ComparedRow>({ ...msg, payload: withOrder(msg) });
  if (!rows) throw new Error(t('error.orders'));
  const { orders: count, discrepancies } = await compareWithOdoo(orders, silos, rows, signal);
  if (discrepancies.length === 0) {
    const level = count > 0 ? 'ok' : 'idle';
    // Nothing goes out: whoever is wired to this wants to hear of differences only.
    return { outputs: [], status: { level, text: t('status.compared-equal', { count, at: clock() }) } };
  }
  const differ = new Set(discrepancies.map(({ mo_id }) => mo_id)).size;
  return {
    outputs: [{ payload: discrepancies, compared: count }],
    status: { level: 'attention', text: t('status.compared-differ', { count, differ, at: clock() }) },
  };
}

export const OPERATIONS = { fetch, check, compare } as const;
