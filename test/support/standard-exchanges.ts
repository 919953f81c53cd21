/** The exchanges that were recorded of six standard Odoos, 14 to 19, and what their answers say. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

const FIXTURES = resolve(__dirname, '..', '..', '..', 'test', 'fixtures', 'standard-odoo');

export interface RecordedMove {
  id: number;
  product: string;
  planned: number;
  quantity?: number;
  quantity_done?: number;
  state: string;
  picked?: boolean;
  manual_consumption?: boolean;
}

export interface StandardState {
  name: string;
  state: string;
  product_qty: number;
  qty_producing: number;
  qty_produced: number;
  moves: RecordedMove[];
  lines?: { product_id: string; location_id: string; lot_id: string | false; quantity?: number; qty_done?: number }[];
}

export interface StandardExchange {
  name: string;
  request: { method: string; path: string; headers: Record<string, string>; body: string };
  /** `status` null: no answer came. */
  response: { status: number | null; headers: [string, string][]; body: unknown };
  note?: string;
  stateAfter?: StandardState | StandardState[] | Record<string, StandardState>;
}

export const standardExchanges = (version: number): StandardExchange[] =>
  JSON.parse(readFileSync(resolve(FIXTURES, `${version}.json`), 'utf8')) as StandardExchange[];

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * What an answer says, without ids, texts and quantities: `true`, `false`, `nothing`, `wizard <model>`, `error <class>
 * <code>`, `<status> page`, a number, or the fields of a record's rows with their types.
 */
export function saying(status: number | null, body: unknown): string {
  const bare = isObject(body) && 'jsonrpc' in body ? body : undefined;
  if (typeof body === 'string') return `${status} page`;
  if (isObject(bare?.error)) {
    const { code, data } = bare.error as { code: number; data: { name: string } };
    return `error ${data.name} ${code}`;
  }
  if (!bare && isObject(body) && 'debug' in body) return `${status} ${String(body.name)}`;
  return shapeOf(bare ? bare.result : body);
}

function shapeOf(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'boolean') return String(value);
  if (isObject(value)) {
    if (typeof value.res_model === 'string') return `wizard ${value.res_model}`;
    return `{${Object.keys(value).sort().join(' ')}}`;
  }
  if (!Array.isArray(value)) return typeof value;
  if (value.length === 0) return '[]';
  return `[${[...new Set((value as unknown[]).map(shapeOf))].sort().join(', ')}]`;
}

/** An order's state in words: figures, plans and states per move, and from where each line takes. */
export function picture({ state, product_qty, qty_producing, qty_produced, moves, lines }: StandardState): unknown {
  const figure = (of: { quantity?: number; quantity_done?: number; qty_done?: number }): number =>
    Math.round((of.quantity ?? of.quantity_done ?? of.qty_done ?? 0) * 100) / 100;
  const flags = ({ picked, manual_consumption: manual }: RecordedMove): string =>
    `${picked ? ' picked' : ''}${manual ? ' manual' : ''}`;
  return {
    order: `${state}, ${qty_producing} of ${product_qty}, ${qty_produced} produced`,
    moves: moves
      .map(
        (move) =>
          `${move.product} ${figure(move)} of ${Math.round(move.planned * 100) / 100} ${move.state}${flags(move)}`,
      )
      .sort(),
    ...(lines && {
      lines: lines
        .filter((line) => figure(line) !== 0)
        .map((line) => `${line.product_id.trim()} ${figure(line)} ${line.location_id} ${line.lot_id || ''}`.trim())
        .sort(),
    }),
  };
}
