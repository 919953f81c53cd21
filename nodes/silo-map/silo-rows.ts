/** The rows of a silo map: what is wrong with them, and what a further one begins with. */
import { hasColumns, isSiloTag, type Silo } from '../lib/domain/silos';

export interface Problem {
  /** Row of the table; -1: of none. */
  index: number;
  /** What of the row is wrong. */
  part: 'tag' | 'code';
  error: 'tag' | 'tag-twice' | 'blank' | 'twice' | 'none';
  values: Record<string, string>;
}

/** Of every tag; a code matters where its silo is in use. */
export function problemsOf(silos: readonly Silo[]): Problem[] {
  const problems: Problem[] = [];
  const [tags, users] = [new Set<string>(), new Map<string, string>()];
  silos.forEach(({ tag, code, enabled }, index) => {
    const wrong = (part: Problem['part'], error: Problem['error'], more: Record<string, string> = {}): void =>
      void problems.push({ index, part, error, values: { tag, ...more } });
    if (!isSiloTag(tag)) wrong('tag', 'tag');
    else if (tags.has(tag)) wrong('tag', 'tag-twice');
    tags.add(tag);
    if (!enabled) return;
    const other = users.get(code);
    if (!code) wrong('code', 'blank');
    else if (other) wrong('code', 'twice', { code, other });
    else users.set(code, tag);
  });
  if (!silos.some(({ enabled }) => enabled)) problems.push({ index: -1, part: 'code', error: 'none', values: {} });
  return problems;
}

/** A text that ends in a number, with the next one, as wide; '' where it ends in none. */
const counted = (text: string): string =>
  /\d$/.test(text) ? text.replace(/\d+$/, (digits) => String(Number(digits) + 1).padStart(digits.length, '0')) : '';

/** The row that a person adds: counting on from the last one of the plant's own; its code is never guessed otherwise. */
export function nextSilo(silos: readonly Silo[]): Silo {
  const last = silos.findLast(({ tag }) => !hasColumns(tag));
  const taken = (key: 'tag' | 'code', value: string): boolean => silos.some((silo) => silo[key] === value);
  let tag = (last && counted(last.tag)) || `silo_${silos.length + 1}`;
  while (taken('tag', tag)) tag = counted(tag);
  const code = last ? counted(last.code) : '';
  return { tag, code: taken('code', code) ? '' : code, label: last ? counted(last.label) : '', enabled: true };
}

/** A component of open orders, as Odoo tells it. */
export interface Component {
  product: string;
  /** '': nothing there says on which silo it is. */
  code: string;
}

/** Rows for the components whose code stands in none yet, called as their product is; and the products without a code. */
export function proposed(
  silos: readonly Silo[],
  components: readonly Component[],
): { silos: Silo[]; nameless: string } {
  const rows = [...silos];
  for (const { product, code } of components) {
    if (code && !rows.some((silo) => silo.code === code)) rows.push({ ...nextSilo(rows), code, label: product });
  }
  const nameless = components.filter(({ code }) => !code).map(({ product }) => product);
  return { silos: rows.slice(silos.length), nameless: nameless.join(', ') };
}
