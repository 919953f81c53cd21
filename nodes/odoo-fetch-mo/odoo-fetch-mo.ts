import type { NodeAPI, NodeDef } from 'node-red';
import type { OdooServerNode, SiloMapNode } from '../lib/node-red/config-nodes';
import type { ComparedRow } from '../lib/domain/reconciliation';
import { legible } from '../lib/domain/order';
import { compareWithOdoo } from '../lib/odoo/compare';
import { checkOrders, fetchOrders } from '../lib/odoo/fetch';
import {
  clock,
  namedIn,
  ordersIn,
  registerAction,
  requireNode,
  type Context,
  type Input,
  type Outcome,
} from '../lib/node-red/node-shell';

interface Config extends NodeDef {
  server: string;
  silos: string;
  operation: 'fetch' | 'check' | 'compare';
  line: string;
}

/** The rows to compare: one that was found at take-over without an order has nothing that Odoo could be asked for. */
const withOrder = ({ payload }: Input): unknown[] =>
  (Array.isArray(payload) ? payload : [payload]).filter((row: { mo_id?: unknown } | null) => row?.mo_id !== null);

const isNamed = (row: unknown): row is ComparedRow =>
  typeof (row as { mo_id?: unknown } | null | undefined)?.mo_id === 'string';

export = function (RED: NodeAPI) {
  registerAction<Config>(RED, 'odoo-fetch-mo', { whileBusy: 'skip' }, (_node, config, t) => {
    const server = requireNode<OdooServerNode>(RED, config.server, t, t('label.server'));
    const { client } = server.connection();
    const silos = requireNode<SiloMapNode>(RED, config.silos, t, t('label.silos')).map();

    const fetch = async (msg: Input, { signal, node }: Context): Promise<Outcome> => {
      const wanted = { line: config.line ?? '', moIds: namedIn(msg) };
      const { orders, refused } = await fetchOrders(client, silos, wanted, signal);
      for (const { mo_id, reason } of refused) node.warn(t('status.refused', { mo_id: legible(mo_id), reason }));
      return {
        outputs: [{ payload: orders, refused }],
        status: {
          level: refused.length > 0 ? 'attention' : orders.length > 0 ? 'ok' : 'idle',
          text: t(refused.length > 0 ? 'status.fetched-refused' : 'status.fetched', {
            count: orders.length,
            refused: refused.length,
            at: clock(),
          }),
        },
      };
    };

    const check = async (msg: Input, { signal, node }: Context): Promise<Outcome> => {
      const given = Array.isArray(msg.payload) ? (msg.payload as unknown[]) : [msg.payload];
      const rows = given.filter(isNamed);
      if (given.length > 0 && rows.length === 0) throw new Error(t('error.orders'));
      // One bad entry keeps no other order from being checked.
      if (rows.length < given.length) node.warn(t('status.nameless', { count: given.length - rows.length }));
      const { open, closed } = await checkOrders(client, silos, rows, signal);
      return {
        outputs: [{ payload: closed, open }],
        status: {
          level: closed.length > 0 ? 'attention' : 'ok',
          text: t('status.checked', { count: open.length + closed.length, closed: closed.length, at: clock() }),
        },
      };
    };

    const compare = async (msg: Input, { signal }: Context): Promise<Outcome> => {
      const rows = ordersIn<ComparedRow>({ ...msg, payload: withOrder(msg) });
      if (!rows) throw new Error(t('error.orders'));
      const { orders: count, discrepancies } = await compareWithOdoo(client, silos, rows, signal);
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
    };

    const links = [server.link];
    // A list to compare comes once a day: it waits its turn, where a trigger would only come again.
    if (config.operation === 'compare') return { links, run: compare, whileBusy: 'queue' };
    return { links, run: config.operation === 'check' ? check : fetch };
  });
};
