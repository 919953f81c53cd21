import type { NodeAPI, NodeDef } from 'node-red';
import type { LineKey } from '../lib/domain/odoo-orders';
import type { OdooServerNode, SiloMapNode } from '../lib/node-red/config-nodes';
import { registerAction, requireNode } from '../lib/node-red/node-shell';
import { OPERATIONS } from './operations';

interface Config extends NodeDef {
  server: string;
  silos: string;
  operation: keyof typeof OPERATIONS;
  line: string;
  lineBy: LineKey;
  lineField: string;
  plans: boolean;
}

export = function (RED: NodeAPI) {
  registerAction<Config>(RED, 'odoo-fetch-mo', { whileBusy: 'skip' }, (_node, config, t) => {
    const server = requireNode<OdooServerNode>(RED, config.server, t, t('label.server'));
    const { orders } = server.connection();
    const silos = requireNode<SiloMapNode>(RED, config.silos, t, t('label.silos')).map();
    const { operation, line = '', lineBy, lineField = '', plans } = config;
    const filter = { line, by: lineBy, field: lineField.trim() };
    return {
      links: [server.link],
      run: (msg, context) =>
        OPERATIONS[operation]({ orders, silos, line: filter, plans: plans === true, msg, context }),
      // A list to compare comes once a day: it waits its turn, where a trigger would only come again.
      whileBusy: operation === 'compare' ? 'queue' : 'skip',
    };
  });
};
