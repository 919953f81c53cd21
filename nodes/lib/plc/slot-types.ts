/** The S7 types a field may have: what they are, and the bytes they take in a data block with standard access. */

/** `head` bytes precede the characters of a text; a time is shown and never judged. */
interface TypeOf {
  kind: 'bit' | 'integer' | 'bcd' | 'float' | 'text' | 'time';
  /** Of a text: of each character. */
  bytes: number;
  head?: number;
  /** It begins at an even byte (STEP 7, "Data types"). */
  even: boolean;
}

const one = (kind: TypeOf['kind']): TypeOf => ({ kind, bytes: 1, even: false });
const wide = (kind: TypeOf['kind'], bytes: number): TypeOf => ({ kind, bytes, even: true });

export const TYPES = {
  BOOL: one('bit'),
  BYTE: one('integer'),
  USINT: one('integer'),
  SINT: one('integer'),
  WORD: wide('integer', 2),
  INT: wide('integer', 2),
  UINT: wide('integer', 2),
  DWORD: wide('integer', 4),
  DINT: wide('integer', 4),
  UDINT: wide('integer', 4),
  LWORD: wide('integer', 8),
  LINT: wide('integer', 8),
  ULINT: wide('integer', 8),
  REAL: wide('float', 4),
  LREAL: wide('float', 8),
  BCD8: one('bcd'),
  BCD16: wide('bcd', 2),
  BCD32: wide('bcd', 4),
  CHAR: { ...one('text'), head: 0 },
  STRING: { ...wide('text', 1), head: 2 },
  'S7-200 STRING': { ...one('text'), head: 1 },
  WCHAR: { ...wide('text', 2), head: 0 },
  WSTRING: { ...wide('text', 2), head: 4 },
  DATE_AND_TIME: wide('time', 8),
  DTL: wide('time', 12),
  LDT: wide('time', 8),
} as const satisfies Readonly<Record<string, TypeOf>>;

export type SlotType = keyof typeof TYPES;
export const SLOT_TYPES = Object.keys(TYPES) as SlotType[];

export const typeOf = (type: SlotType): TypeOf => TYPES[type];
export const isText = (type: SlotType): boolean => typeOf(type).kind === 'text';
/** Whether a type is a whole number. */
export const isWhole = (type: SlotType): boolean => ['integer', 'bcd'].includes(typeOf(type).kind);

/** Bytes of one value. @param length characters of a text that are read */
export const valueBytes = (type: SlotType, length = 0): number => {
  const { kind, bytes, head = 0 } = typeOf(type);
  return kind === 'text' ? head + bytes * length : bytes;
};
