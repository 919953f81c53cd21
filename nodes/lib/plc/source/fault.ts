/** What can be wrong with a source; the words are in the locale of plc-consumption-read, under `source`. */
export type SourceFault =
  | 'expected'
  | 'expectedName'
  | 'expectedType'
  | 'expectedBlock'
  | 'unended'
  | 'bound'
  | 'bounds'
  | 'length'
  | 'unknownType'
  | 'circle'
  | 'tooLong'
  | 'nothing'
  | 'optimized';

/** A source that cannot be laid out; whoever shows it has the words. */
export class SourceError extends Error {
  override readonly name = 'SourceError';

  /** @param values what the words need; `line` counts from 1 */
  constructor(
    readonly fault: SourceFault,
    readonly values: Readonly<Record<string, string | number>> & { line: number },
  ) {
    super(`line ${values.line}: ${fault} ${JSON.stringify(values)}`);
  }
}
