import type { NodeAPI } from 'node-red';
import { registerDialogCall } from '../lib/node-red/dialog-call';
import { type Context, registerAction } from '../lib/node-red/node-shell';
import { handOverAction } from './hand-over';
import { lookAt, type ReadNow, readNow } from './read-now';
import type { Config } from './settings';
import { withdrawAction } from './withdraw';

const TYPE = 'plc-order-write';

export = function (RED: NodeAPI) {
  const words: Context['t'] = (key, values) => RED._(`${TYPE}.${key}`, values as never);
  const call = { place: [], nodes: { endpoint: 's7 endpoint', silos: 'silo-map' } };
  registerDialogCall(RED, TYPE, 'read', call, (values) => readNow(RED, words, values as unknown as ReadNow));
  registerDialogCall(RED, TYPE, 'live', call, (values) =>
    lookAt(RED, words, values as unknown as ReadNow & { slot: number }),
  );
  registerAction<Config>(RED, TYPE, { whileBusy: 'skip' }, (node, config, t) =>
    config.operation === 'withdraw' ? withdrawAction(RED, config, t) : handOverAction(RED, node, config, t),
  );
};
