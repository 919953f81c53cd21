/** The operation "connections": every link in use, as lights of a display. It waits for no database. */
import type { NodeAPI } from 'node-red';
import { connectionsOf } from '../lib/node-red/connections';
import type { Context, Outcome } from '../lib/node-red/node-shell';
import { shown } from './call';

export const connections = (RED: NodeAPI, t: Context['t']): Outcome => {
  const payload = connectionsOf(RED, t('error.not-configured'));
  const count = payload.length;
  const down = payload.filter(({ tried, up }) => tried && !up).length;
  const untried = payload.filter(({ tried }) => !tried).length;
  const status =
    down > 0
      ? shown('failed', t('status.connections-down', { count, down }))
      : untried > 0
        ? shown('idle', t('status.connections-untried', { count, untried, up: count - untried }))
        : shown('ok', t('status.connections', { count }));
  return { outputs: [{ payload }], status };
};
