/**
 * A number of a node's config within its bounds, whatever was deployed; says it once when that is not what was entered.
 */
import type { Node } from 'node-red';
import { type Range, setting } from '../domain/setting';

/**
 * @param t the node's texts: `label.<key>` is the field's name, `status.bounded` says what is used instead
 * @returns always finite and within the range
 */
export function bounded(
  node: Node,
  t: (key: string, values?: Record<string, unknown>) => string,
  key: string,
  entered: unknown,
  range: Range,
): number {
  const { value, instead } = setting(entered, range);
  if (instead !== undefined) node.warn(t('status.bounded', { label: t(`label.${key}`), instead, value }));
  return value;
}
