/**
 * Every recorded call on orders, moves and lines of a standard Odoo, replayed against the simulated one of the same version:
 * the answer says the same, and the order is left in the same state.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  startStandardOdoo,
  VERSIONS,
  type StandardOdoo,
  type Version,
} from '../../../../examples/plant/odoo/standard/standard-odoo';
import {
  picture,
  saying,
  standardExchanges,
  type StandardExchange,
  type StandardState,
} from '../../../support/standard-exchanges';
import { send } from '../odoo-client';
import { meanwhile, sceneFor, type Scene } from './recorded-orders';
import { caller } from './standard-client';

/** What is not a call on an order: people's own screens, outages, and what cannot be told from one process. */
const ELSEWHERE =
  /^(form-onchange|apikey|cooldown|server-down|after-restart|db-list|row-locked|client-gives|done-client|consumption-wizard|backorder-wizard|move-of-other|orders-with-moves|web-|call-kw|single-db|rpc-not|many-databases|database-down|serialization|json2-(many|single|expired)|work-order-start|2fa|login|version|malformed|execute-bad-m|fields|finished-lot-create|german-wizard)/;

const baseName = ({ name }: StandardExchange): string => name.replace(/^\d+-/, '');

/** Whose password is his login in the simulation. */
const WHO: Record<string, [number, string]> = {
  'done-plain-user': [9, 'plain'],
  'plain-user-list': [9, 'plain'],
  'german-user-error': [10, 'german'],
  'german-validation': [10, 'german'],
};

/** Its figures had been changed by calls that were not recorded. */
const UNKNOWN_PAST = ['16 wrong-field-of-other-version'];

class Replay {
  private readonly scenes = new Map<number, Scene>();
  private readonly ids = new Map<string, number>();

  constructor(
    readonly odoo: StandardOdoo,
    readonly version: Version,
  ) {}

  /** The scene of the order that a recorded call is about. */
  async scene(name: string, exchange: StandardExchange, recorded: number): Promise<Scene> {
    const state = stateOf(exchange) as StandardState;
    const found = this.scenes.get(recorded);
    const refused = /^error/.test(saying(exchange.response.status, exchange.response.body));
    if (found) await meanwhile(found, name, state, refused);
    const scene = found ?? (await sceneFor(this.odoo, this.version, caller(this.odoo), name, state));
    this.scenes.set(recorded, scene);
    state.moves.forEach(({ id }, index) => {
      const own = scene.moves[index];
      if (own !== undefined && !this.ids.has(`move ${id}`)) this.ids.set(`move ${id}`, own);
    });
    return scene;
  }

  /** The recorded values with the simulation's ids for the recorded ones. */
  async values(value: unknown, { call, id }: Scene): Promise<Record<string, unknown>> {
    const { result } = await call(
      'stock.move.line',
      'search_read',
      [[['move_id.raw_material_production_id', '=', id]]],
      { fields: ['move_id'] },
    );
    const lines = result as { id: number; move_id: [number] }[];
    const products = (await call('product.product', 'search_read', [[]], { fields: ['default_code'] })).result as {
      id: number;
      default_code: string;
    }[];
    const locations = (await call('stock.location', 'search_read', [[]], { fields: ['complete_name'] })).result as {
      id: number;
      complete_name: string;
    }[];
    const lots = (await call(this.version >= 16 ? 'stock.lot' : 'stock.production.lot', 'search', [[]]))
      .result as number[];
    const first = this.version === 19 ? 15 : 19;
    const translate = (item: unknown, key = '', move = 0): unknown => {
      if (key === 'product_uom') return this.version === 19 ? item : 3;
      if (key === 'product_id') return products.find(({ default_code: code }) => code === 'ADD-X')?.id;
      if (key === 'location_id')
        return locations.find(({ complete_name: full }) => full === `WH/Stock/SILO${101 + (item as number) - first}`)
          ?.id;
      if (key === 'lot_producing_id') return lots.at(-1);
      if (key === 'lot_producing_ids') return [[6, 0, [lots.at(-1)]]];
      if (key === 'move_line_ids')
        return (item as [number, number, object][]).map(([verb, , vals]) => [
          verb,
          lines.find(({ move_id: [owner] }) => owner === move)?.id,
          vals,
        ]);
      if (key === 'move_raw_ids')
        return (item as [number, number, object][]).map(([verb, moved, vals]) => {
          const own = this.ids.get(`move ${moved}`) ?? moved;
          return [verb, own, translate(vals, '', own)];
        });
      if (typeof item !== 'object' || item === null || Array.isArray(item)) return item;
      return Object.fromEntries(Object.entries(item).map(([name, inner]) => [name, translate(inner, name, move)]));
    };
    return translate(value) as Record<string, unknown>;
  }

  async state({ call, id }: Scene, withLines: boolean): Promise<StandardState> {
    const [order] = (
      await call('mrp.production', 'read', [[id]], {
        fields: ['name', 'state', 'product_qty', 'qty_producing', 'qty_produced'],
      })
    ).result as [StandardState];
    const raw = ['raw_material_production_id', '=', id];
    const moves = (await call('stock.move', 'search_read', [[raw]])).result as Record<string, unknown>[];
    const lines = (await call('stock.move.line', 'search_read', [[['move_id.raw_material_production_id', '=', id]]]))
      .result as Record<string, unknown>[];
    const text = (pair: unknown): string => (pair as [number, string])[1];
    return {
      ...order,
      moves: moves.map((move) => ({
        ...move,
        product: text(move.product_id),
        planned: move.product_uom_qty,
      })) as unknown as StandardState['moves'],
      ...(withLines && {
        lines: lines.map((line) => ({
          ...line,
          product_id: text(line.product_id),
          location_id: text(line.location_id),
          lot_id: line.lot_id && text(line.lot_id),
        })) as unknown as NonNullable<StandardState['lines']>,
      }),
    };
  }
}

const stateOf = ({ stateAfter }: StandardExchange): StandardState | undefined => {
  if (!stateAfter) return undefined;
  if (Array.isArray(stateAfter)) return stateAfter[0];
  return 'moves' in stateAfter ? (stateAfter as StandardState) : undefined;
};

interface Sent {
  path: string;
  model: string;
  method: string;
  args: unknown[];
  kwargs: Record<string, unknown>;
}

function sentIn({ request }: StandardExchange): Sent | undefined {
  const body = JSON.parse(request.body) as {
    params?: { service: string; args: unknown[] };
    ids?: number[];
    vals?: object;
    context?: object;
  };
  const [, model = '', method = ''] = /^\/json\/2\/([^/]+)\/([^/]+)$/.exec(request.path) ?? [];
  if (model)
    return {
      path: request.path,
      model,
      method,
      args: body.ids ? [body.ids, ...(body.vals ? [body.vals] : [])] : [],
      kwargs: body.context ? { context: body.context } : {},
    };
  if (body.params?.service !== 'object') return undefined;
  const [, , , named, called, args, kwargs] = body.params.args as [
    unknown,
    unknown,
    unknown,
    string,
    string,
    unknown[],
    Record<string, unknown>,
  ];
  return { path: request.path, model: named, method: called, args, kwargs: kwargs ?? {} };
}

for (const version of VERSIONS) {
  describe(`recorded calls on Odoo ${version}`, () => {
    let replay: Replay;
    before(async () => {
      const odoo = await startStandardOdoo({ version });
      odoo.createOrder({ components: [{ code: 'ADD-X', product: 'Additive X', quantity: 1 }], line: 'PLC02' });
      const model = version >= 16 ? 'stock.lot' : 'stock.production.lot';
      await caller(odoo)(model, 'create', [{ name: 'BATCH', product_id: 1, company_id: 1 }]);
      replay = new Replay(odoo, version);
    });
    after(() => replay.odoo.stop());

    for (const exchange of standardExchanges(version)) {
      const name = baseName(exchange);
      if (ELSEWHERE.test(name) || UNKNOWN_PAST.includes(`${version} ${name}`)) continue;
      const state = stateOf(exchange);
      const sent = sentIn(exchange);
      const writes = sent?.method === 'write' || /^(button_mark_done|action_|do_)/.test(sent?.method ?? '');
      if (!sent || !state || !writes) continue;
      test(exchange.name, async () => {
        const [recorded] = sent.args[0] as [number];
        const scene = await replay.scene(name, exchange, recorded);
        const [uid, who] = WHO[name] ?? [6, 'bridge'];
        const rest = await Promise.all(sent.args.slice(1).map((value) => replay.values(value, scene)));
        const kwargs = JSON.parse(JSON.stringify(sent.kwargs).replaceAll(`[${recorded}]`, `[${scene.id}]`)) as object;
        const args = [[scene.id], ...rest];
        const { odoo } = replay;
        const answer = sent.path.startsWith('/json/2/')
          ? await send(
              odoo.url,
              sent.path,
              JSON.stringify({ ids: args[0], ...(rest[0] && { vals: rest[0] }), ...kwargs }),
              undefined,
              {
                headers: { 'Content-Type': 'application/json', Authorization: 'bearer bridge-key' },
              },
            )
          : await send(
              odoo.url,
              '/jsonrpc',
              JSON.stringify({
                jsonrpc: '2.0',
                id: 1,
                method: 'call',
                params: {
                  service: 'object',
                  method: 'execute_kw',
                  args: [odoo.database, uid, who, sent.model, sent.method, args, kwargs],
                },
              }),
            );
        assert.equal(saying(answer.status, answer.body), saying(exchange.response.status, exchange.response.body));
        assert.deepEqual(picture(await replay.state(scene, state.lines !== undefined)), picture(state));
      });
    }
  });
}
