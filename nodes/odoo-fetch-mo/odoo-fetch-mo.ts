import type { NodeAPI, NodeDef } from 'node-red';
import type { OdooServerNode, SiloMapNode } from '../lib/config-nodes';
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
} from '../lib/node-shell';

interface Config extends NodeDef {
  server: string;
  silos: string;
  operation: 'fetch' | 'check';
  line: string;
}

export = function (RED: NodeAPI) {
  registerAction<Config>(RED, 'odoo-fetch-mo', { whileBusy: 'skip' }, (_node, config, t) => {
    const server = requireNode<OdooServerNode>(RED, config.server, t, t('label.server'));
    const { client } = server.connection();
    const silos = requireNode<SiloMapNode>(RED, config.silos, t, t('label.silos')).map();

    const fetch = async (msg: Input, { signal, node }: Context): Promise<Outcome> => {
      const wanted = { line: config.line ?? '', moIds: namedIn(msg) };
      const { orders, refused } = await fetchOrders(client, silos, wanted, signal);
      for (const { mo_id, reason } of refused) node.warn(t('status.refused', { mo_id, reason }));
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

    const check = async (msg: Input, { signal }: Context): Promise<Outcome> => {
      const orders = ordersIn(msg);
      if (!orders) throw new Error(t('error.orders'));
      const { open, closed } = await checkOrders(
        client,
        orders.map(({ mo_id }) => mo_id),
        signal,
      );
      return {
        outputs: [{ payload: closed, open }],
        status: {
          level: closed.length > 0 ? 'attention' : 'ok',
          text: t('status.checked', { count: open.length + closed.length, closed: closed.length, at: clock() }),
        },
      };
    };

    return { links: [server.link], run: config.operation === 'check' ? check : fetch };
  });
};
