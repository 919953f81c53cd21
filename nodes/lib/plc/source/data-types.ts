/** What a declaration of a STEP 7 or TIA Portal source says: types, members and blocks, before anything is placed. */

/**
 * Bytes of the elementary types in a data block with standard access; BOOL takes one bit (STEP 7, "Data types and parameter
 * types"; TIA Portal, "Overview of the valid data types"). The system types of timers and counters are taken as one.
 */
export const ELEMENTARY_BYTES = {
  BOOL: 1,
  ...{ BYTE: 1, CHAR: 1, SINT: 1, USINT: 1 },
  ...{ WORD: 2, INT: 2, UINT: 2, WCHAR: 2, DATE: 2, S5TIME: 2, TIMER: 2, COUNTER: 2 },
  ...{ DWORD: 4, DINT: 4, UDINT: 4, REAL: 4, TIME: 4, TOD: 4 },
  ...{ LWORD: 8, LINT: 8, ULINT: 8, LREAL: 8, LTIME: 8, LTOD: 8, DT: 8, LDT: 8 },
  ...{ DTL: 12, STRING: 2, WSTRING: 4, ANY: 10, POINTER: 6 },
  ...{ IEC_TIMER: 16, TP_TIME: 16, TON_TIME: 16, TOF_TIME: 16, TONR_TIME: 16 },
  ...{ IEC_LTIMER: 32, TP_LTIME: 32, TON_LTIME: 32, TOF_LTIME: 32, TONR_LTIME: 32 },
  ...{ IEC_SCOUNTER: 4, IEC_USCOUNTER: 4, IEC_COUNTER: 6, IEC_UCOUNTER: 6 },
  ...{ IEC_DCOUNTER: 12, IEC_UDCOUNTER: 12, IEC_LCOUNTER: 24, IEC_ULCOUNTER: 24 },
  ...{ CTU_SINT: 4, CTD_SINT: 4, CTUD_SINT: 4, CTU_USINT: 4, CTD_USINT: 4, CTUD_USINT: 4 },
  ...{ CTU_INT: 6, CTD_INT: 6, CTUD_INT: 6, CTU_UINT: 6, CTD_UINT: 6, CTUD_UINT: 6 },
  ...{ CTU_DINT: 12, CTD_DINT: 12, CTUD_DINT: 12, CTU_UDINT: 12, CTD_UDINT: 12, CTUD_UDINT: 12 },
  ...{ CTU_LINT: 24, CTD_LINT: 24, CTUD_LINT: 24, CTU_ULINT: 24, CTD_ULINT: 24, CTUD_ULINT: 24 },
  ...{ DB_ANY: 2, HW_ANY: 2, HW_IO: 2, HW_DEVICE: 2, HW_SUBMODULE: 2, OB_ANY: 2, CONN_ANY: 2, CONN_OUC: 2, PORT: 2 },
} as const;

export type ElementaryName = keyof typeof ELEMENTARY_BYTES;

const LONG_NAMES: Readonly<Record<string, ElementaryName>> = {
  TIME_OF_DAY: 'TOD',
  LTIME_OF_DAY: 'LTOD',
  DATE_AND_TIME: 'DT',
  DATE_AND_LTIME: 'LDT',
};

/** The type of this name, in any case and long or short; undefined: it has no such name. */
export function elementaryName(name: string): ElementaryName | undefined {
  const upper = name.toUpperCase();
  return upper in ELEMENTARY_BYTES ? (upper as ElementaryName) : LONG_NAMES[upper];
}

/** Types of one byte lie at any byte, all others but BOOL at even ones. */
export const ONE_BYTE: readonly ElementaryName[] = ['BYTE', 'CHAR', 'SINT', 'USINT'];

/** The most characters of a STRING and of a WSTRING, and how many they have when nothing is said (TIA Portal, "STRING", "WSTRING"). */
export const MOST_CHARACTERS = { STRING: 254, WSTRING: 16_382 } as const;
export const DEFAULT_CHARACTERS = 254;

export interface Elementary {
  kind: 'elementary';
  name: ElementaryName;
  /** As it is declared, in upper case: DATE_AND_TIME, STRING[20]. */
  declared: string;
  /** Characters of a STRING or WSTRING. */
  length?: number;
}

export interface Range {
  low: number;
  high: number;
}

export interface ArrayType {
  kind: 'array';
  /** The last one runs fastest. */
  ranges: readonly Range[];
  of: DataType;
}

export interface Struct {
  kind: 'struct';
  members: readonly Member[];
}

/** A PLC data type (UDT) or a block, declared elsewhere in the source or nowhere. */
export interface Named {
  kind: 'named';
  name: string;
  line: number;
}

export type DataType = Elementary | ArrayType | Struct | Named;

export interface Member {
  name: string;
  type: DataType;
  /** '' without one. */
  comment: string;
  line: number;
}

/** A data block or a PLC data type. */
export interface Declared {
  name: string;
  type: DataType;
  line: number;
}

export interface Block extends Declared {
  /** Of a block that is named by its number: DB 100. */
  number?: number;
  optimized: boolean;
}

export interface Source {
  types: readonly Declared[];
  blocks: readonly Block[];
}

/** S7 names are the same in upper and lower case. */
export const sameName = (a: string, b: string): boolean => a.toUpperCase() === b.toUpperCase();
