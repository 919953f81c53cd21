/** The fields of a slot as a person reads them, in the open dialog. */
import { hasColumns, type Silo, SiloMap } from '../domain/silos';
import { current, text } from './dialog';
import { isSilo } from '../plc/slot-layout';

/** The chosen map of silos; undefined while none is chosen, or while it is wrong itself. */
export function chosenSilos(node: EditorNode): SiloMap | undefined {
  try {
    const map = RED.nodes.node(current(node, 'silos'));
    return map ? new SiloMap(map.silos as Silo[]) : undefined;
  } catch {
    return undefined;
  }
}

/** A field in plain words: "batch complete"; a silo as the map calls it. */
export function plainName(node: EditorNode, field: string, silos = chosenSilos(node)): string {
  const numbered = /^(.*)_number$/.exec(field)?.[1];
  if (numbered) return text(node, 'field.silo_number', { silo: plainName(node, numbered, silos) });
  if (!isSilo(field)) return text(node, `field.${field}`);
  return silos?.byTag(field)?.label ?? field.replace('_', ' ').toUpperCase();
}

/** The fields of a kind of slot, with the further silos of the map behind the fifteen. */
export function offered(fields: readonly string[], silos: SiloMap | undefined): string[] {
  const further = silos?.enabled.flatMap(({ tag }) => (hasColumns(tag) ? [] : [tag])) ?? [];
  return fields.toSpliced(fields.findLastIndex(hasColumns) + 1, 0, ...further);
}

/**
 * A choice of fields: in plain words, with the column's name beside them.
 * @param chosen stays a choice, although the map may not have it any more
 */
export const fieldOptions = (node: EditorNode, fields: readonly string[], chosen = ''): JQuery[] => {
  const silos = chosenSilos(node);
  const all = offered(fields, silos);
  return [...all, ...(chosen && !all.includes(chosen) ? [chosen] : [])].map((field) =>
    $('<option>')
      .val(field)
      .text(`${plainName(node, field, silos)} · ${field}`),
  );
};
