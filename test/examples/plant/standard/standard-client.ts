/** For tests of the simulated standard Odoo: a simulator, and a client that sends over /jsonrpc what it is told. */
import type { TestContext } from 'node:test';
import { startStandardOdoo } from '../../../../examples/plant/odoo/standard/standard-odoo';
import type {
  NewStandardOrder,
  StandardOdoo,
  StandardOdooOptions,
  Version,
} from '../../../../examples/plant/odoo/standard/standard-odoo';
import { send, type Answer } from '../odoo-client';

export interface Told {
  result?: unknown;
  /** `error.data.name` */
  error?: string;
  message?: string;
  code?: number;
}

/** What an envelope says. */
export function told({ body }: Answer): Told {
  const { result, error } = body as {
    result?: unknown;
    error?: { code: number; data: { name: string; message: string } };
  };
  return error ? { error: error.data.name, message: error.data.message, code: error.code } : { result };
}

export type Call = (model: string, method: string, args: unknown[], kwargs?: object) => Promise<Told>;

export const rpc = (url: string, service: string, method: string, args: unknown[]): Promise<Answer> =>
  send(url, '/jsonrpc', JSON.stringify({ jsonrpc: '2.0', method: 'call', params: { service, method, args }, id: 1 }));

/** Calls as a user whose password is his login. */
export function caller({ url, database }: StandardOdoo, uid = 6, password = 'bridge'): Call {
  return async (model, method, args, kwargs = {}) =>
    told(await rpc(url, 'object', 'execute_kw', [database, uid, password, model, method, args, kwargs]));
}

/** A simulator that ends with its test. */
export async function standard(
  t: TestContext,
  version: Version,
  options: Partial<StandardOdooOptions> = {},
): Promise<StandardOdoo> {
  const odoo = await startStandardOdoo({ ...options, version });
  t.after(() => odoo.stop());
  return odoo;
}

/** Two silos of the recorded recipe: 825 kg and 375 kg for 2500 kg. */
export const TWO_SILOS: NewStandardOrder = {
  components: [
    { code: 'SILO101', product: 'Pollard Angsa', quantity: 825 },
    { code: 'SILO102', product: 'Kopra Mesh', quantity: 375 },
  ],
};

export const FLAGS = { context: { skip_consumption: true, skip_backorder: true } };
