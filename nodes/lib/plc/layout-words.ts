/** The words for what is wrong with a layout or a source, from the node's locale: in the dialog as in Node-RED. */
import type { LayoutProblem } from './layout-check';
import type { SourceError } from './source/fault';

export type Translate = (key: string, values: Record<string, unknown>) => string;

export const layoutWords = (t: Translate, { fault, row, field, values }: LayoutProblem): string =>
  t(`layout.${fault}`, { row, field, ...values });

export const sourceWords = (t: Translate, { fault, values }: SourceError): string =>
  t(`source.${fault}`, { ...values });
