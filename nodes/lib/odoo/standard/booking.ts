/** Enters what no silo weighs into an order of a standard Odoo, and looks whether it is there. */
import { describeUnweighed, type Unweighed } from '../../domain/closing';
import { type Concluded, concluded } from '../../domain/conclusion';
import type { Calling } from '../../domain/odoo-orders';
import { DONE } from '../answer';
import { entry } from './figures';
import type { Reader } from './reader';
import type { OrderWriter } from './writer';

/** @throws OdooError */
export async function book(
  reader: Reader,
  writer: OrderWriter,
  list: readonly Unweighed[],
  call: Calling,
): Promise<Concluded> {
  const known = await writer.learn();
  if ('conclusion' in known) return known;
  const generation = await reader.generation(call);
  const own = (id: number) => known.moves.find((move) => move.id === id);
  const entries = list.flatMap(({ move, quantity }) => {
    const component = own(move.id);
    return component ? [entry(component, quantity, generation)] : [];
  });
  if (entries.length > 0) {
    const named = `book ${list.map(({ move }) => move.product).join(', ')}`;
    const said = await writer.write(named, entries, known);
    if (said.conclusion !== 'confirmed') return { ...said, reason: `what no silo weighs: ${said.reason}` };
  }
  for (const { move, quantity } of list.filter(({ move }) => !own(move.id))) {
    const byproduct = { id: move.id, uom_id: move.uom_id, lines: [] };
    const [, , vals] = entry(byproduct, quantity, { ...generation, manual: '' });
    const said = await writer.answered(`book ${move.product}`, 'write', { ids: [move.id], vals }, 'stock.move');
    if (said.conclusion !== 'confirmed') return said;
  }
  const ids = list.map(({ move }) => move.id);
  const found = new Map((await reader.moves([['id', 'in', ids]], call)).map(({ id, done }) => [id, done]));
  const missing = list.filter(({ move, quantity }) => Math.abs((found.get(move.id) ?? 0) - quantity) > 1e-6);
  if (missing.length === 0) return DONE;
  return concluded('not-done', `booked, but not found in Odoo: ${describeUnweighed(missing)}`);
}
