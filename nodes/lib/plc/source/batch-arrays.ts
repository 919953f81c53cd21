/** Where the batches of a block may be: every array of structures in it, and the block as a whole as one batch. */
import type { ArrayType, DataType } from './data-types';
import { parseSource } from './declarations';
import { elementaryMembers, refuseOptimized, subjectsOf, type PlacedMember } from './layout';
import { Placement } from './placement';

/** A row of batches, all laid out alike. */
export interface BatchArray {
  /** Of the array in its block, e.g. Line[1].Batch; '' for the block itself. */
  path: string;
  /** Number of the block, where the source tells it. */
  db?: number;
  /** Bytes, as in the dialog. */
  base: number;
  stride: number;
  slots: number;
  /** Of one batch, their places counted from its start. An array of CHAR is one text. */
  members: readonly PlacedMember[];
}

type Found = Omit<BatchArray, 'members'> & { of: DataType };

/** A block has thousands of members at most in which a person finds anything. */
const MOST_ARRAYS = 200;

function* arraysIn(placement: Placement, type: DataType, path: string, at: number): Generator<Found> {
  const plain = placement.plain(type);
  if (plain.kind === 'struct') {
    for (const { what, at: offset } of placement.members(plain))
      yield* arraysIn(placement, what.type, path === '' ? what.name : `${path}.${what.name}`, at + offset);
  }
  if (plain.kind !== 'array' || placement.plain(plain.of).kind === 'elementary') return;
  yield* rowOf(placement, plain, path, at);
  for (const { what, at: offset } of placement.elements(plain))
    yield* arraysIn(placement, plain.of, `${path}[${what}]`, at + offset);
}

/** An array of structures as one row of them; several dimensions follow each other without a gap. */
function* rowOf(placement: Placement, type: ArrayType, path: string, at: number): Generator<Found> {
  if (placement.plain(type.of).kind !== 'struct') return;
  const stride = placement.size(type.of) / 8;
  if (stride > 0) yield { path, base: at / 8, stride, slots: placement.size(type) / 8 / stride, of: type.of };
}

/** @throws SourceError for a source that cannot be read, or a block with optimized access */
export function batchArrays(text: string): BatchArray[] {
  const source = parseSource(text);
  refuseOptimized(source);
  const placement = new Placement(source);
  const subjects = subjectsOf(source);
  return subjects.flatMap((subject) => {
    const { name, type } = subject;
    const bytes = placement.size(type) / 8;
    const found = [...arraysIn(placement, type, '', 0)].slice(0, MOST_ARRAYS);
    found.push({ path: '', base: 0, stride: bytes, slots: 1, of: type });
    return found.map(({ of, path, ...place }) => ({
      ...place,
      path: subjects.length > 1 ? [name, path].filter(Boolean).join('.') : path,
      ...('number' in subject && subject.number !== undefined ? { db: subject.number } : {}),
      members: [...elementaryMembers(placement, of, { texts: true })],
    }));
  });
}
