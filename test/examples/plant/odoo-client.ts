/** For tests of the simulated Odoo: a simulator, and a bare HTTP client that sends what it is told and shows what came. */
import { request } from 'node:http';
import type { TestContext } from 'node:test';
import { startSimulatedOdoo } from '../../../examples/plant/odoo/simulated-odoo';
import type { SimulatedOdoo, SimulatedOdooOptions } from '../../../examples/plant/odoo/simulated-odoo';

export interface Answer {
  status: number;
  headers: [string, string][];
  /** Parsed when it is JSON, else the text. */
  body: unknown;
}

interface How {
  method?: string;
  /** Instead of `Content-Type: application/json`. */
  headers?: Record<string, string>;
}

/** Sends one request on a connection of its own. @throws Error (rejects) when the connection fails or is cut. */
export function send(url: string, path: string, body: string | null, cookie?: string, how: How = {}): Promise<Answer> {
  const headers: Record<string, string> = { ...(how.headers ?? { 'Content-Type': 'application/json' }) };
  if (cookie !== undefined) headers.Cookie = cookie;
  if (body !== null && !headers['Transfer-Encoding']) headers['Content-Length'] = String(Buffer.byteLength(body));
  return new Promise((resolve, reject) => {
    const req = request(`${url}${path}`, { method: how.method ?? 'POST', headers, agent: false }, (res) => {
      const chunks: Buffer[] = [];
      res.on('data', (chunk: Buffer) => chunks.push(chunk));
      res.on('error', reject);
      res.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        const json = res.headers['content-type']?.startsWith('application/json');
        const list = Object.entries(res.headers).map(([name, value]): [string, string] => [name, String(value)]);
        resolve({ status: res.statusCode ?? 0, headers: list, body: json ? (JSON.parse(text) as unknown) : text });
      });
    });
    req.on('error', reject);
    req.end(body ?? undefined);
  });
}

/** Logs a user in (the password is the name) and gives the session id of the cookie. */
export async function login(url: string, user = 'scada', route = '/api/scada/authenticate'): Promise<string> {
  const params = { db: 'odoo14', login: user, password: user };
  const { headers } = await send(url, route, JSON.stringify({ jsonrpc: '2.0', method: 'call', params, id: 1 }));
  const cookie = headers.find(([name]) => name === 'set-cookie')?.[1];
  const sid = /session_id=([0-9a-f]{40})/.exec(cookie ?? '')?.[1];
  if (!sid) throw new Error(`no session for ${user} from ${url}${route}`);
  return sid;
}

/** The route that most tests write with. */
export const UPDATE = '/api/scada/mo/update-with-consumptions';

/** A simulator that ends with its test. */
export async function started(t: TestContext, options: SimulatedOdooOptions = {}): Promise<SimulatedOdoo> {
  const odoo = await startSimulatedOdoo(options);
  t.after(() => odoo.stop());
  return odoo;
}

export type Post = (path: string, body: object) => Promise<Answer>;

/** A logged-in client. */
export async function client(odoo: SimulatedOdoo, user = 'scada'): Promise<Post> {
  const cookie = `session_id=${await login(odoo.url, user)}`;
  return (path, body) => send(odoo.url, path, JSON.stringify(body), cookie);
}

/** Calls a method of a model, as Odoo's own screens do. */
export const callKw = (post: Post, model: string, method: string, args: unknown[], kwargs: object = {}) =>
  post('/web/dataset/call_kw', { jsonrpc: '2.0', method: 'call', params: { model, method, args, kwargs }, id: 1 });

/** The `result` of an envelope. */
export const result = ({ body }: Answer): Record<string, unknown> =>
  (body as { result: Record<string, unknown> }).result;
/** The `error` of an envelope, if it has one. */
export const errorOf = ({ body }: Answer): { code: number; data: { message: string } } | undefined =>
  (body as { error?: { code: number; data: { message: string } } }).error;

/** Waits until the simulator shows what is asked for. @throws Error when that takes absurdly long. */
export async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries++) {
    if (tries > 2000) throw new Error(`never came true: ${holds.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
