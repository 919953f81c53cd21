/**
 * Parses a STEP 7 or TIA Portal source (.db, .udt, .scl, .awl): its data blocks and PLC data types. What else stands in it,
 * functions and their code, is passed over.
 */
import { Cursor } from './cursor';
import { sameName, type Block, type DataType, type Declared, type Member, type Source } from './data-types';
import { tokensOf } from './tokens';
import { parseMembers, parseName, parseType } from './types';

const CODE = ['FUNCTION_BLOCK', 'FUNCTION', 'ORGANIZATION_BLOCK'];
const HEADER_VALUES = ['AUTHOR', 'FAMILY', 'NAME', 'VERSION'];
const HEADER_WORDS = ['NON_RETAIN', 'RETAIN', 'UNLINKED', 'READ_ONLY', 'KNOW_HOW_PROTECT', ';', ':'];
const SECTION_WORDS = ['RETAIN', 'NON_RETAIN', 'CONSTANT', 'DB_SPECIFIC'];
const ABSOLUTE_BLOCK = /^DB(\d+)$/;

/** { S7_Optimized_Access := 'TRUE'; … }: whether it says so. */
function attributesSayOptimized(cursor: Cursor): boolean {
  let optimized = false;
  while (!cursor.ended && !cursor.sees('}')) {
    const { text } = cursor.take();
    if (sameName(text, 'S7_Optimized_Access') && cursor.takes(':=')) optimized = sameName(cursor.take().text, 'TRUE');
  }
  cursor.needs('}');
  return optimized;
}

/**
 * All up to what is declared. A block without the attribute has standard access: the S7-300 and S7-400 know no other, and TIA
 * Portal writes the attribute into every source of a block that is optimized.
 */
function parseHeader(cursor: Cursor): { optimized: boolean } {
  let optimized = false;
  for (;;) {
    if (cursor.takes('{')) optimized = attributesSayOptimized(cursor) || optimized;
    else if (cursor.takes(...HEADER_VALUES)) {
      const { line } = cursor.last;
      cursor.needs(':');
      while (!cursor.ended && cursor.next.line === line && !cursor.sees('STRUCT', 'VAR', '{', ...HEADER_VALUES))
        cursor.take();
    } else if (!cursor.takes(...HEADER_WORDS)) return { optimized };
  }
}

/** What a block or a PLC data type holds: a STRUCT, TIA Portal's VAR sections, or another type by its name. */
function parseBody(cursor: Cursor): DataType {
  if (!cursor.sees('VAR')) {
    if (cursor.sees('BEGIN', 'END_DATA_BLOCK', 'END_TYPE') || cursor.ended)
      throw cursor.fault('expected', { expected: 'STRUCT' });
    const type = parseType(cursor);
    cursor.takes(';');
    return type;
  }
  const members: Member[] = [];
  while (cursor.takes('VAR')) {
    while (cursor.takes(...SECTION_WORDS));
    members.push(...parseMembers(cursor, 'END_VAR'));
  }
  return { kind: 'struct', members };
}

function parseBlock(cursor: Cursor): Block {
  const { line } = cursor.next;
  const name = parseName(cursor);
  const number = ABSOLUTE_BLOCK.exec(name)?.[1];
  const { optimized } = parseHeader(cursor);
  const type = parseBody(cursor);
  if (cursor.takes('BEGIN')) cursor.skipTo('END_DATA_BLOCK');
  else cursor.needs('END_DATA_BLOCK');
  return { name, type, line, optimized, ...(number ? { number: Number(number) } : {}) };
}

function parseTypeBlock(cursor: Cursor): Declared {
  const { line } = cursor.next;
  const name = parseName(cursor);
  parseHeader(cursor);
  const type = parseBody(cursor);
  cursor.needs('END_TYPE');
  return { name, type, line };
}

/** @throws SourceError that names the line and what was expected there */
export function parseSource(text: string): Source {
  const cursor = new Cursor(tokensOf(text));
  const types: Declared[] = [];
  const blocks: Block[] = [];
  while (!cursor.ended) {
    const { line } = cursor.next;
    const code = CODE.find((word) => cursor.takes(word));
    if (code) cursor.skipTo(`END_${code}`);
    else if (cursor.takes('DATA_BLOCK')) blocks.push(parseBlock(cursor));
    else if (cursor.takes('TYPE')) types.push(parseTypeBlock(cursor));
    // The members alone, copied out of a block.
    else if (cursor.sees('STRUCT', 'VAR')) types.push({ name: '', type: parseBody(cursor), line });
    else if (!cursor.takes(';')) throw cursor.fault('expectedBlock');
  }
  if (types.length + blocks.length === 0) throw cursor.fault('nothing');
  return { types, blocks };
}
