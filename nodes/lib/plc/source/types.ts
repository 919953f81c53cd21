/** Parses the type of a member: elementary, STRING with its length, ARRAY, STRUCT, or the name of a PLC data type. */
import type { Cursor } from './cursor';
import {
  DEFAULT_CHARACTERS,
  elementaryName,
  MOST_CHARACTERS,
  type DataType,
  type Elementary,
  type Member,
  type Range,
} from './data-types';

/** Declarations of absolute names: UDT 5, FB 10. */
const ABSOLUTE = ['UDT', 'DB', 'FB', 'SFB'];

/** A name, quoted or not; an absolute one without its blank: UDT 5 → UDT5. */
export function parseName(cursor: Cursor): string {
  const { kind, text } = cursor.next;
  if (kind !== 'quoted' && kind !== 'name') throw cursor.fault('expectedName');
  cursor.take();
  const absolute = kind === 'name' && ABSOLUTE.includes(text.toUpperCase()) && cursor.next.kind === 'number';
  return absolute ? text.toUpperCase() + cursor.take().text : text;
}

function parseBound(cursor: Cursor): number {
  const sign = cursor.takes('-') ? -1 : 1;
  if (cursor.next.kind !== 'number') throw cursor.fault('bound');
  return sign * Number(cursor.take().text);
}

function parseRange(cursor: Cursor): Range {
  const low = parseBound(cursor);
  cursor.needs('..');
  const high = parseBound(cursor);
  if (high < low) throw cursor.fault('bounds', { low, high });
  return { low, high };
}

function parseArray(cursor: Cursor): DataType {
  cursor.needs('[');
  const ranges = [parseRange(cursor)];
  while (cursor.takes(',')) ranges.push(parseRange(cursor));
  cursor.needs(']');
  cursor.needs('OF');
  return { kind: 'array', ranges, of: parseType(cursor) };
}

function parseText(cursor: Cursor, name: 'STRING' | 'WSTRING'): Elementary {
  if (!cursor.takes('[')) return { kind: 'elementary', name, declared: name, length: DEFAULT_CHARACTERS };
  const length = Number(cursor.next.text);
  if (cursor.next.kind !== 'number' || length < 1 || length > MOST_CHARACTERS[name])
    throw cursor.fault('length', { type: name, most: MOST_CHARACTERS[name] });
  cursor.take();
  cursor.needs(']');
  return { kind: 'elementary', name, declared: `${name}[${length}]`, length };
}

export function parseType(cursor: Cursor): DataType {
  if (cursor.takes('ARRAY')) return parseArray(cursor);
  if (cursor.takes('STRUCT')) return { kind: 'struct', members: parseMembers(cursor, 'END_STRUCT') };
  const { kind, text, line } = cursor.next;
  if (kind !== 'name' && kind !== 'quoted') throw cursor.fault('expectedType');
  const name = kind === 'name' ? elementaryName(text) : undefined;
  if (!name) return { kind: 'named', name: parseName(cursor), line };
  cursor.take();
  if (name === 'STRING' || name === 'WSTRING') return parseText(cursor, name);
  return { kind: 'elementary', name, declared: text.toUpperCase() };
}

/** One declaration, of one member or of several with the same type: a, b : INT := 5; */
function parseDeclaration(cursor: Cursor): Member[] {
  const { line } = cursor.next;
  const names = [parseName(cursor)];
  while (cursor.takes(',')) names.push(parseName(cursor));
  if (cursor.takes('{')) cursor.skipTo('}');
  cursor.needs(':');
  const { line: typeLine } = cursor.next;
  const type = parseType(cursor);
  if (cursor.takes(':=')) while (!cursor.ended && !cursor.sees(';', 'END_STRUCT', 'END_VAR')) cursor.take();
  // Some exports leave it out behind END_STRUCT.
  if (!cursor.takes(';') && type.kind !== 'struct') throw cursor.fault('expected', { expected: ';' });
  const comment = cursor.commentIn(type.kind === 'struct' ? typeLine : cursor.last.line);
  return names.map((name) => ({ name, type, comment, line }));
}

/** Members up to a keyword, and that as well. */
export function parseMembers(cursor: Cursor, end: 'END_STRUCT' | 'END_VAR'): Member[] {
  const members: Member[] = [];
  while (!cursor.takes(end)) {
    if (cursor.ended) throw cursor.fault('expected', { expected: end });
    members.push(...parseDeclaration(cursor));
  }
  return members;
}
