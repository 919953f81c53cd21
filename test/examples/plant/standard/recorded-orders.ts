/** The order as it was before a recorded call: which components it had, and what had been done to it. */
import type { NewStandardOrder, StandardOdoo, Version } from '../../../../examples/plant/odoo/standard/standard-odoo';
import type { Component } from '../../../../examples/plant/odoo/simulated-odoo';
import type { StandardState } from '../../../support/standard-exchanges';
import { FLAGS, type Call } from './standard-client';

export interface Scene {
  odoo: StandardOdoo;
  version: Version;
  call: Call;
  id: number;
  moves: number[];
}

const RECIPE: [number, string, number][] = [
  [101, 'Pollard Angsa', 825],
  [102, 'Kopra Mesh', 375],
  [103, 'PKE Pellet', 240.25],
  [104, 'Ampok Jagung', 50],
  [105, 'CGF', 300],
  [106, 'Tepung Gaplek', 159.75],
  [107, 'Bungkil Kedelai', 100],
  [108, 'Molases', 75.5],
  [109, 'Kulit Kopi', 124.5],
  [110, 'DDGS', 90],
  [111, 'Premix', 10.25],
  [112, 'Garam', 24.75],
  [113, 'Kalsium', 125],
];

export const THIRTEEN: Component[] = RECIPE.map(([silo, product, quantity]) => ({
  code: `SILO${silo}`,
  product,
  quantity,
}));
const TWO = THIRTEEN.slice(0, 2);
const [ONE] = TWO as [Component, Component];

const vitamin = (lot: string): Component => ({
  code: 'VIT-LOT',
  product: 'Vitamin Lot',
  quantity: 100,
  tracking: 'lot',
  reserved: [{ lot, quantity: 100 }],
});

/** What the order was made of; two silos without an entry here. */
function recipeOf(name: string, state: StandardState): NewStandardOrder {
  if (/^work-order|unit-guard|date-guard-work/.test(name)) return { components: THIRTEEN, workCenter: 'PLC01' };
  if (name === 'duplicate-product-write')
    return { components: [{ ...ONE, quantity: 500 }, { ...ONE, quantity: 325 }, TWO[1] as Component] };
  if (name === 'units-write') {
    const [a, b, c] = THIRTEEN as [Component, Component, Component];
    return { components: [{ ...a, quantity: 0.83, uom: 't' }, { ...b, quantity: 375_000, uom: 'g' }, c] };
  }
  if (name.startsWith('finished-lot')) return { components: [ONE], product: 'JF LOT', tracking: 'lot' };
  if (/lot-(above|rising|push)/.test(name))
    return { components: [ONE, vitamin(state.lines?.find(({ lot_id: lot }) => lot)?.lot_id || 'VL-A')] };
  if (name === 'more-than-in-stock')
    return { components: [{ code: 'SCARCE', product: 'Scarce', quantity: 800 }, TWO[1] as Component], reserved: false };
  if (name === 'unreserved-write') return { components: TWO, reserved: false };
  if (name === 'done-strict-flags') return { components: TWO, policy: 'strict' };
  return { components: state.moves.length > 10 ? THIRTEEN : TWO };
}

const field = (version: Version): string => (version >= 17 ? 'quantity' : 'quantity_done');

/** The recommended write; `how` leaves out what a careless client forgets. */
export async function push(
  { call, version, id, moves }: Scene,
  figures: readonly number[],
  producing?: number,
  how: { picked?: boolean; manual?: boolean } = {},
): Promise<void> {
  const { picked = true, manual = true } = how;
  const extra = {
    ...(version >= 17 && picked && { picked: true }),
    ...(version >= 16 && manual && { manual_consumption: true }),
  };
  const commands = figures.map((figure, index) => [1, moves[index], { [field(version)]: figure, ...extra }]);
  const values = { ...(producing !== undefined && { qty_producing: producing }), move_raw_ids: commands };
  const told = await call('mrp.production', 'write', [[id], values]);
  if (told.error) throw new Error(`the scene cannot be set: ${told.message}`);
}

/** What had been done to the order, by the name of the call that follows. */
const BEFORE: Record<string, (scene: Scene) => Promise<void> | void> = {
  negative: (scene) => push(scene, [900.13, 370.02]),
  'more-than-in-stock': ({ odoo }) => Promise.resolve(odoo.people.count('SCARCE', 'WH/Stock/SCARCE', 600)),
  'done-quantity-only': (scene) => push(scene, [800, 370], 2500, { picked: false, manual: false }),
  'done-without-qty-producing': (scene) => push(scene, [800, 370], undefined, { manual: scene.version >= 17 }),
  'done-without-qty-producing-picked-only': (scene) => push(scene, [800, 370], undefined, { manual: false }),
  'unreserve-after-write': (scene) => push(scene, [800, 370], undefined, { manual: scene.version >= 17 }),
  'lot-above-reservation': (scene) => push(scene, [], 2500),
  'done-exact-no-flags': (scene) =>
    push(
      scene,
      THIRTEEN.map(({ quantity }) => quantity),
      2500,
    ),
  'done-consumption-wizard': (scene) => push(scene, [800, 370], 2500),
  'german-wizard': (scene) => push(scene, [800, 370], 2500),
  'done-backorder-wizard': (scene) => push(scene, [800, 370], 2400),
  'done-make-backorder': (scene) => push(scene, [800, 370], 2400),
  'done-one-silo-missing': (scene) => push(scene, [825], 2500),
  'done-strict-flags': (scene) => push(scene, [800, 370], 2500),
  'done-more-than-planned': (scene) => push(scene, [900, 400], 2600),
  'done-plain-user': (scene) => push(scene, [800, 370], 2500),
  'finished-lot-missing': (scene) => push(scene, [825], 2500),
  'rising-by-move': async (scene) => {
    await push(scene, [200, 100]);
    await push(scene, [400, 200]);
  },
  'lot-rising-by-move': (scene) => push(scene, [800, 3]),
  'german-user-error': ({ odoo, id }) => odoo.people.cancel(id),
  'json2-user-error': ({ odoo, id }) => odoo.people.cancel(id),
  'unit-guard-work-order-started': ({ odoo, id }) => odoo.people.startWorkOrder(id),
};

/** Figures that nobody recorded how they came: a refused call on an open order found them as it left them. */
async function asLeft(scene: Scene, state: StandardState): Promise<void> {
  const figures = state.moves.map((move) => move.quantity ?? move.quantity_done ?? 0);
  await push(scene, figures);
}

/** Calls that went on with an order whose figures had been changed by an unrecorded call. */
const CHANGED = ['write-13-atomic', 'text', 'wrong-field-of-other-version', 'picked-unknown', 'unknown-move'];

/** Sets the scene for a call on an order that no call before it was about. */
export async function sceneFor(
  odoo: StandardOdoo,
  version: Version,
  call: Call,
  name: string,
  state: StandardState,
): Promise<Scene> {
  const { id, moves } = odoo.createOrder({ reserved: true, ...recipeOf(name, state) });
  const scene: Scene = { odoo, version, call, id, moves: moves.map((move) => move.id) };
  await BEFORE[name]?.(scene);
  return scene;
}

/** What had become of an order between two recorded calls. */
export async function meanwhile(scene: Scene, name: string, state: StandardState, refused: boolean): Promise<void> {
  if (name === 'negative' || name === 'unreserve-after-write') return BEFORE[name]?.(scene);
  if (refused && CHANGED.includes(name)) return asLeft(scene, state);
}

export { FLAGS };
