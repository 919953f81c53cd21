/** What an odoo-push-consumption node is set to, and what it works with. */
import type { Node, NodeAPI, NodeDef } from 'node-red';
import type { LinkState } from '../lib/domain/link-state';
import type { SiloMap } from '../lib/domain/silos';
import { bounded } from '../lib/node-red/bounded';
import type { DatabaseNode, OdooServerNode, SiloMapNode } from '../lib/node-red/config-nodes';
import { type Context, requireNode } from '../lib/node-red/node-shell';
import { DELIVERY_DEFAULTS, type DeliveryOptions } from '../lib/push/delivery';
import { PushService } from '../lib/push/push';
import type { DatabaseLink } from '../lib/store/database-link';
import type { ManualOperation } from './manual-api';

export interface Config extends NodeDef {
  server: string;
  database: string;
  silos: string;
  operation: ManualOperation;
  markDone: boolean;
  readBack: boolean;
  closeWarning: boolean;
  closeStrict: boolean;
  minFinishedShare: string | number;
  minWeighedShare: string | number;
  bookUnweighed: boolean;
  unreserve: boolean;
  makeLot: boolean;
  refuseExcess: boolean;
  noFinishedWeight: 'set-aside' | 'planned' | 'sum';
}

/** %: blank, and what is no number, is the standard: 0 would close any order. */
const FINISHED = { standard: DELIVERY_DEFAULTS.minFinishedShare ?? 100, least: 0, most: 100 };
const WEIGHED = { standard: DELIVERY_DEFAULTS.minWeighedShare, least: 0, most: 100 };

/** What every push of the node works with. */
export interface Pusher {
  node: Node;
  t: Context['t'];
  /** undefined: no database is chosen. */
  link: DatabaseLink | undefined;
  /** Id of the mo-database node, for the figures. */
  database: string | undefined;
  links: readonly LinkState[];
  silos: SiloMap;
  push: PushService;
}

/** @throws Error in the words of the locale when a config node is missing */
export function pusherOf(RED: NodeAPI, node: Node, config: Config, t: Context['t']): Pusher {
  const server = requireNode<OdooServerNode>(RED, config.server, t, t('label.server'));
  const { orders, limiter } = server.connection();
  const silos: SiloMap = requireNode<SiloMapNode>(RED, config.silos, t, t('label.silos')).map();
  const database = config.database
    ? requireNode<DatabaseNode>(RED, config.database, t, t('label.database'))
    : undefined;
  const { readBack, closeWarning, closeStrict, noFinishedWeight, bookUnweighed } = config;
  const { unreserve, makeLot, refuseExcess } = config;
  const options: DeliveryOptions = {
    ...{ readBack, closeWarning, closeStrict, noFinishedWeight, bookUnweighed },
    ...{ unreserve, makeLot, refuseExcess },
    minFinishedShare: bounded(node, t, 'minFinishedShare', config.minFinishedShare, FINISHED),
    minWeighedShare: bounded(node, t, 'minWeighedShare', config.minWeighedShare, WEIGHED),
  };
  return {
    ...{ node, t, silos, link: database?.database(), database: database?.id },
    links: [server.link, ...(database ? [database.link] : [])],
    push: new PushService(orders, limiter, silos, options),
  };
}
