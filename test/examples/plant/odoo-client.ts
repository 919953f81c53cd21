/** A bare HTTP client for tests of the simulated Odoo: it sends what it is told and shows what came. */
import { request } from 'node:http';

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
