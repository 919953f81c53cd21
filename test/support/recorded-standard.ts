/** A stub of a standard Odoo for one recorded exchange: its response on its call, and an order as it was before and after. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { generation, VERSIONS } from '../../examples/plant/odoo/standard/generations';
import type { StandardExchange, StandardState } from './standard-exchanges';

/** `service.method`, or `model.method` of a model's call. */
export interface RecordedCall {
  name: string;
  /** Arguments by name; of a service's call none. */
  named: Record<string, unknown>;
  /** Over /json/2, with an API key. */
  bare: boolean;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Which arguments a model's method takes by position, as Odoo names them. */
const POSITIONS: Record<string, readonly string[]> = {
  search_read: ['domain', 'fields'],
  read: ['ids', 'fields'],
  write: ['ids', 'vals'],
  create: ['vals_list'],
  fields_get: ['allfields'],
};

function modelCall(model: unknown, method: unknown, args: unknown, kwargs: unknown, bare = false): RecordedCall {
  const names = POSITIONS[String(method)] ?? ['ids'];
  const placed = (Array.isArray(args) ? args : []).map((value: unknown, index) => [
    names[index] ?? String(index),
    value,
  ]);
  const named = { ...Object.fromEntries(placed), ...(isObject(kwargs) ? kwargs : {}) } as Record<string, unknown>;
  return { name: `${String(model)}.${String(method)}`, named, bare };
}

/** The call in a request; undefined where there is none that could be told. */
export function callIn(path: string, body: string | null): RecordedCall | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body ?? '');
  } catch {
    return undefined; // Malformed JSON is one of the things that are played.
  }
  if (!isObject(parsed)) return undefined;
  const [, model, method] = /^\/json\/2\/([^/]+)\/([^/]+)$/.exec(path) ?? [];
  if (model) return modelCall(model, method, [], parsed, true);
  const params = isObject(parsed.params) ? parsed.params : {};
  if (path.startsWith('/web/dataset/call_kw'))
    return modelCall(params.model, params.method, params.args, params.kwargs);
  const args = Array.isArray(params.args) ? (params.args as unknown[]) : [];
  if (params.service === 'object') return modelCall(args[3], args[4], args[5], args[6]);
  return path === '/jsonrpc'
    ? { name: `${String(params.service)}.${String(params.method)}`, named: {}, bare: false }
    : undefined;
}

/** The version that an exchange was recorded on, told by its database's name. */
export function versionOf({ request: { headers, body } }: StandardExchange): (typeof VERSIONS)[number] {
  const [, digits] = /"odoo(\d\d)"/.exec(`"${headers['X-Odoo-Database'] ?? ''}" ${body}`) ?? [];
  return VERSIONS.find((version) => String(version) === digits) ?? 17;
}

/** What the stub answers besides the recorded call. */
export interface Scene {
  /** The order until the recorded call has been answered, and from then on. */
  before: StandardState;
  after: StandardState;
  /** Its policy about consumption that differs. */
  policy: string;
}

export interface RecordedStandard {
  url: string;
  /** From now on the recorded call gets the recorded answer. */
  arm(): void;
  close(): Promise<void>;
}

const KG = [12, 'kg'];

/** Codes by the product's shown name. */
export const codeIn = (product: string): string => /^\[([^\]]+)\]/.exec(product.trim())?.[1] ?? '';

/** The rows of a model that belong to an order. */
function rowsOf(model: string, version: (typeof VERSIONS)[number], state: StandardState, policy: string): object[] {
  const of = generation(version);
  const product = (name: string): [number, string] => [
    3 + state.moves.findIndex((move) => move.product === name),
    name,
  ];
  const figure = (move: StandardState['moves'][number]): number => move.quantity ?? move.quantity_done ?? 0;
  switch (model) {
    case 'mrp.production':
      return [
        {
          ...{ id: 1, name: state.name, state: state.state, product_id: [1, 'Feed'], product_uom_id: KG },
          ...{ product_qty: state.product_qty, qty_producing: state.qty_producing, qty_produced: state.qty_produced },
          ...{ consumption: policy, move_byproduct_ids: [], workorder_ids: [], company_id: [1, 'My Company'] },
          ...{ [of.start]: '2026-01-05 06:00:00', [of.lot]: false },
        },
      ];
    case 'stock.move':
      return state.moves.map((move) => ({
        ...{ id: move.id, raw_material_production_id: [1, state.name], product_id: product(move.product) },
        ...{ product_uom_qty: move.planned, product_uom: KG, state: move.state, [of.figure]: figure(move) },
        ...(of.picked ? { picked: move.picked ?? false } : {}),
      }));
    case 'stock.move.line':
      return state.moves.map((move) => ({
        ...{ id: move.id + 10_000, move_id: [move.id, ''], lot_id: false, [of.lineFigure]: figure(move) },
        ...(of.lineReserved ? { [of.lineReserved]: 0 } : { picked: move.picked ?? false }),
      }));
    case 'product.product':
      return [{ id: 1, name: 'Feed', default_code: false, barcode: false, tracking: 'none' }].concat(
        state.moves.map(({ product: name }) => {
          const [id] = product(name);
          return { id, name, default_code: codeIn(name) || false, barcode: false, tracking: 'none' } as never;
        }),
      );
    case 'uom.uom':
      return of.units === 'category'
        ? [{ id: 12, name: 'kg', rounding: 0.01, category_id: [2, 'Weight'], factor: 1 }]
        : [
            { id: 12, name: 'kg', rounding: 0.01, relative_uom_id: [15, 'g'], relative_factor: 1000 },
            { id: 15, name: 'g', rounding: 0.01, relative_uom_id: false, relative_factor: 1 },
          ];
    default:
      return [];
  }
}

/** What a call gets that is not the recorded one. */
function other(
  { name, named }: RecordedCall,
  version: (typeof VERSIONS)[number],
  state: StandardState,
  policy: string,
): unknown {
  const of = generation(version);
  if (name === 'common.version')
    return { server_version: `${version}.0`, server_version_info: [version, 0, 0, 'final', 0, ''] };
  if (name === 'common.login') return 6;
  const [, model = '', method = ''] = /^(.*)\.(\w+)$/.exec(name) ?? [];
  if (method === 'write' || method === 'button_mark_done') return true;
  if (method === 'fields_get') {
    const known = [of.figure, of.lot, ...(of.picked ? ['picked'] : []), ...(of.manual ? ['manual_consumption'] : [])];
    const asked = (named.allfields ?? []) as string[];
    return Object.fromEntries(
      asked.filter((field) => known.includes(field as never)).map((field) => [field, { type: 'char' }]),
    );
  }
  return rowsOf(model, version, state, policy);
}

/** Starts the stub; nobody listens any more when the recording says that the connection was refused. */
export async function startRecordedStandard(exchange: StandardExchange, scene: Scene): Promise<RecordedStandard> {
  const { request, response, note } = exchange;
  const version = versionOf(exchange);
  const recorded = callIn(request.path, request.body);
  let armed = false;
  let answered = false;

  const replay = (res: ServerResponse): void => {
    answered = true;
    if (response.status === null) return void res.destroy();
    const dropped = /^(content-length|transfer-encoding|connection)$/i;
    for (const [name, value] of response.headers) if (!dropped.test(name)) res.setHeader(name, value);
    const { body } = response;
    res.writeHead(response.status).end(typeof body === 'string' ? body : JSON.stringify(body));
  };

  const answer = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    const call = callIn(req.url ?? '', await text(req));
    if (!call) return void res.writeHead(400).end();
    if (armed && (!recorded || call.name === recorded.name)) return replay(res);
    const result = other(call, version, answered ? scene.after : scene.before, scene.policy);
    res.setHeader('Content-Type', 'application/json');
    res.writeHead(200).end(JSON.stringify(call.bare ? result : { jsonrpc: '2.0', id: 1, result }));
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
  if (response.status === null && /refused|stopped/.test(note ?? '')) await close();
  return { url: `http://127.0.0.1:${port}`, arm: () => void (armed = true), close };
}
