/** A stub of Odoo for one recorded exchange: its response on its route, success for logins, its `stateAfter` for reads. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { DEFAULT_SILOS } from '../../nodes/lib/domain/silos';

/** One exchange as it was recorded. */
export interface Exchange {
  name: string;
  request: { method: string; path: string; headers: Record<string, string>; body: string | null };
  /** `status` null: no answer came. */
  response: { status: number | null; headers: [string, string][]; body: unknown };
  note?: string;
  /** The order as it was read back over RPC afterwards; absent when there was no such order. */
  stateAfter?: RecordedState;
}

export interface RecordedState {
  state: string;
  product_qty: number;
  qty_producing: number;
  qty_produced: number;
  consumption: string;
  /** kg by the equipment's name. */
  raw_done: Record<string, number>;
}

export type Params = Record<string, unknown>;

export interface RecordedOdoo {
  url: string;
  /** What the client posted to the exchange's route; undefined: it did not call it. */
  posted(): Params | undefined;
  close(): Promise<void>;
}

const SESSION = { 'Content-Type': 'application/json', 'Set-Cookie': 'session_id=0123456789abcdef; Path=/' };

export const pathOf = (path: string): string => new URL(path, 'http://odoo').pathname;

/** The equipment as the recorded server names it: "SILO A" is silo101. */
const equipmentId = (label: string): number => 3 + DEFAULT_SILOS.findIndex((silo) => silo.label === label);
const moves = ({ raw_done }: RecordedState, order: string): object[] =>
  Object.entries(raw_done).map(([label, done]) => ({
    raw_material_production_id: [1, order],
    product_id: [equipmentId(label) - 1, label],
    product_uom: [3, 'kg'],
    product_uom_qty: 0,
    quantity_done: done,
    scada_equipment_id: [equipmentId(label), label],
    state: 'confirmed',
  }));

/**
 * Starts the stub; nobody listens any more when the recording says that the connection was refused.
 * @param method of the model, when the exchange calls one
 * @param before the order until the exchange's route has been called; afterwards it is the recorded `stateAfter`
 */
export async function startRecordedOdoo(
  { request, response, note, stateAfter }: Exchange,
  before: RecordedState,
  method?: unknown,
): Promise<RecordedOdoo> {
  const route = pathOf(request.path);
  let posted: Params | undefined;
  const failed = (response.body as { result?: { status?: string } } | null)?.result?.status === 'error';

  /** The order as a follow-up read finds it. Without a `stateAfter` an error tells that there is none. */
  const order = (): RecordedState | undefined => (posted ? (stateAfter ?? (failed ? undefined : before)) : before);

  const recorded = (res: ServerResponse): void => {
    if (response.status === null) return void res.destroy();
    const dropped = /^(content-length|transfer-encoding|connection)$/i;
    for (const [name, value] of response.headers) if (!dropped.test(name)) res.setHeader(name, value);
    res
      .writeHead(response.status)
      .end(typeof response.body === 'string' ? response.body : JSON.stringify(response.body));
  };

  const follow = (path: string, params: Params): object => {
    const found = order();
    const { mo_id = '', model } = params;
    const codes = Object.entries(params).filter(([key]) => key !== 'mo_id' && key !== 'quantity');
    // What the exchange does not tell is neither done nor a wizard.
    if (path === '/web/dataset/call_kw' && params.method !== 'search_read') return [];
    const [domain = []] = (params.args ?? []) as [[string, string, string[]][]];
    const name = domain.find(([field]) => field === 'name')?.[2][0] ?? 'WH/MO/00001';
    if (path.endsWith('/authenticate')) return { status: 'success', uid: 6 };
    if (path === '/web/dataset/call_kw') {
      if (!found) return [];
      return model === 'stock.move' ? moves(found, String(name)) : [{ id: 1, name, ...found }];
    }
    if (path === '/api/scada/mo-list-detailed') return { status: 'success', data: [] };
    if (path === '/api/scada/mo-detail') {
      if (!found) return { status: 'error', message: `MO not found: ${String(mo_id)}` };
      const components_consumption = DEFAULT_SILOS.map(({ code, label }) => ({
        equipment: { id: equipmentId(label), code },
      }));
      return {
        status: 'success',
        data: { mo_id: String(mo_id), state: found.state, quantity: found.product_qty, components_consumption },
      };
    }
    const consumed_items = codes.map(([equipment_code, applied_qty]) => ({ equipment_code, applied_qty }));
    return { status: 'success', consumed_items, updated_finished_qty: params.quantity };
  };

  const answer = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const { params } = JSON.parse(await text(req)) as { params: Params };
    const path = pathOf(req.url ?? '');
    if (path === route && params.method === method) {
      recorded(res);
      posted = params;
      return;
    }
    // The way in of a server with several databases is only taken when the addon's own is not there.
    if (path === '/api/scada/authenticate' && route === '/web/session/authenticate')
      return void res.writeHead(404).end();
    res.writeHead(200, SESSION).end(JSON.stringify({ jsonrpc: '2.0', id: null, result: follow(path, params) }));
  };

  const server = createServer((req, res) => {
    answer(req, res).catch((error: Error) => res.destroy(error));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  if (response.status === null && /refused/.test(note ?? '')) await close();
  return { url: `http://127.0.0.1:${port}`, posted: () => posted, close };
}
