/** "Test connection" of the dialog: logs in once with what stands there, reads, and changes nothing. */
import type { NodeAPI } from 'node-red';
import { setting } from '../lib/domain/setting';
import { type DialogValues, tlsOptions } from '../lib/node-red/dialog-call';
import { probeOdoo } from '../lib/odoo/addon/test-connection';
import { probeStandard } from '../lib/odoo/standard/test-connection';
import { linesOf } from './lines';
import { type Config, type Credentials, missingIn, placeOf, siloKey, TIMEOUT, usesKey } from './settings';

/** A dialog must not wait longer than a person does (s). */
const LONGEST_TEST_TIMEOUT = 10;

/** @throws Error saying what is missing, wrong, or what to do about what Odoo said */
export async function testConnection(RED: NodeAPI, values: DialogValues): Promise<object> {
  const { user = '', password = '', apiKey = '', timeout, ...entered } = values as Partial<Config> & Credentials;
  const missing = missingIn(RED, { ...entered, user, password, apiKey });
  const { url, database, problem } = placeOf(entered);
  if (problem && problem !== 'blank' && missing.length === 1) {
    throw new Error(RED._(`odoo-server.error.address.${problem}`));
  }
  if (!url || missing.length > 0) throw new Error(RED._('odoo-server.error.blank', { missing: missing.join(', ') }));
  const tls = tlsOptions(RED, 'odoo-server', values.tls);
  const timeoutMs = Math.min(setting(timeout, TIMEOUT).value, LONGEST_TEST_TIMEOUT) * 1000;
  const address = { url, database, user, timeoutMs, ...(tls ? { tls } : {}) };
  const asked = linesOf(RED, values.id, values['lines']);
  const isKey = usesKey(entered);
  const secret = isKey ? apiKey : password;
  const {
    url: found,
    lines,
    ...facts
  } = entered.interface === 'standard'
    ? granted(RED, await probeStandard({ ...address, secret, isKey }, siloKey(entered), asked))
    : await probeOdoo({ ...address, password }, asked);
  const asEntered = (entered.url ?? '').replace(/\/+$/, '') === found;
  return { ...facts, ...(lines.length > 0 ? { lines } : {}), ...(asEntered ? {} : { address: found }) };
}

/** @throws Error naming the rights that the user lacks */
function granted<T extends Pick<Awaited<ReturnType<typeof probeStandard>>, 'missing'>>(
  RED: NodeAPI,
  { missing, ...probe }: T,
): Omit<T, 'missing'> {
  if (missing.length === 0) return probe;
  const rights = missing.map(({ model, operation }) => `${RED._(`odoo-server.right.${operation}`)} ${model}`);
  throw new Error(RED._('odoo-server.error.rights', { rights: rights.join(', ') }));
}
