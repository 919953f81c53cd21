/** What the editor and a monitoring system ask Node-RED about its databases. */
import type { NodeAPI } from 'node-red';
import { registerDialogCall, tlsOptions } from '../lib/node-red/dialog-call';
import type { Metrics } from '../lib/node-red/metrics';
import { probeDatabase } from '../lib/store/test-connection';
import type { Running } from './running';
import { type Config, type Credentials, missingIn, PLACE, USUAL_PORT } from './settings';

/** Where the dialog's database is, "Test connection", and the metrics. */
export function registerRoutes(RED: NodeAPI, running: Running, metrics: Metrics): void {
  const permission = RED.auth.needsPermission('mo-database.read');
  RED.httpAdmin.get('/mo-bridge/mo-database/:id/connection', permission, (req, res) => {
    const connection = running.shown.get(String(req.params.id));
    if (connection) res.json(connection);
    else res.sendStatus(204);
  });

  RED.httpAdmin.get('/mo-bridge/metrics', RED.auth.needsPermission('mo-bridge.read'), (_req, res, next) => {
    metrics
      .scrape()
      .then((page) => (page ? res.set('Content-Type', page.type).send(page.text) : res.sendStatus(404)))
      .catch(next);
  });

  registerDialogCall(RED, 'mo-database', 'test', { place: PLACE }, (values) => {
    const { id = '', user = '', password = '', ...entered } = values as Partial<Config> & Credentials;
    if (entered.mode !== 'server') {
      const address = running.addresses.get(id);
      if (!address) throw new Error(RED._('mo-database.error.not-running'));
      return probeDatabase(address);
    }
    const missing = missingIn(entered, user, true).map((key) => RED._(`mo-database.label.${key}`));
    if (missing.length > 0) throw new Error(RED._('mo-database.error.blank', { missing: missing.join(', ') }));
    const { host = '', database = '', serverPort } = entered;
    const ssl = tlsOptions(RED, 'mo-database', values.tls);
    const port = Number(serverPort) || USUAL_PORT;
    return probeDatabase({ host, port, database, user, password, ...(ssl ? { ssl } : {}) });
  });
}
