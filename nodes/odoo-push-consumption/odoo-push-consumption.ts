import type { NodeAPI } from 'node-red';
import { type Context, type Input, type Outcome, registerAction } from '../lib/node-red/node-shell';
import { PushList } from '../lib/push/push-list';
import { manualCall, unconfigured } from './manual';
import { processBatches } from './process';
import { type Config, pusherOf } from './settings';

export = function (RED: NodeAPI) {
  registerAction<Config>(RED, 'odoo-push-consumption', { whileBusy: 'together', unconfigured }, (node, config, t) => {
    const pusher = pusherOf(RED, node, config, t);
    const list = new PushList();
    const { operation, markDone } = config;
    const run = (msg: Input, context: Context): Promise<Outcome> => {
      const { payload } = msg;
      const asked = typeof payload === 'object' && payload !== null && 'batch_data' in payload;
      // Who waits for an HTTP answer is answered by the rules of the manual API, whatever was sent.
      const byHand = operation !== 'process' || 'res' in msg || asked;
      return byHand
        ? manualCall(pusher, operation, msg, context)
        : processBatches(pusher, list, Boolean(markDone), msg, context);
    };
    return { links: pusher.links, run };
  });
};
