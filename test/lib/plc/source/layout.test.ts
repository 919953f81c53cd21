/**
 * Sources whose offsets were computed by hand from Siemens' rules for standard access (see placement.ts), one case per type,
 * nesting and way of writing.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseSource } from '../../../../nodes/lib/plc/source/declarations';
import { SourceError } from '../../../../nodes/lib/plc/source/fault';
import { layOut, lineOf } from '../../../../nodes/lib/plc/source/layout';
import { textOfFile } from '../../../../nodes/lib/plc/source/text-file';

const block = (members: string): string =>
  `DATA_BLOCK "Weigher"\n{ S7_Optimized_Access := 'FALSE' }\nVERSION : 0.1\nNON_RETAIN\n   STRUCT\n${members}\n   END_STRUCT;\n\nBEGIN\n\nEND_DATA_BLOCK\n`;

/** path TYPE byte.bit, with blanks for the tabs; a path may hold blanks of its own. */
const lines = (text: string): string[] => layOut(text).map((member) => lineOf(member).replaceAll('\t', ' '));

/** Members of a block → where they lie. */
const MEMBERS: Record<string, [members: string, expected: string[]]> = {
  'BOOLs bit by bit, a ninth in the next byte': [
    'a, b, c, d, e, f, g, h, i : Bool;',
    [...['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'].map((name, bit) => `${name} BOOL 0.${bit}`), 'i BOOL 1.0'],
  ],
  'a BYTE at the byte after BOOLs': ['a : Bool; b : Byte; c : Bool;', ['a BOOL 0.0', 'b BYTE 1.0', 'c BOOL 2.0']],
  'bytes at any byte': [
    'a : Byte; b : Char; c : SInt; d : USInt; e : Int;',
    ['a BYTE 0.0', 'b CHAR 1.0', 'c SINT 2.0', 'd USINT 3.0', 'e INT 4.0'],
  ],
  'an INT at the next even byte': [
    'a : Byte; b : Int; c : Byte; d : Word;',
    ['a BYTE 0.0', 'b INT 2.0', 'c BYTE 4.0', 'd WORD 6.0'],
  ],
  'types of two bytes': [
    'x : Bool; a : Word; b : Int; c : UInt; d : WChar; e : Date; f : S5Time; g : Timer; h : Counter;',
    [
      ...['x BOOL 0.0', 'a WORD 2.0', 'b INT 4.0', 'c UINT 6.0', 'd WCHAR 8.0', 'e DATE 10.0', 'f S5TIME 12.0'],
      ...['g TIMER 14.0', 'h COUNTER 16.0'],
    ],
  ],
  'types of four bytes lie at even bytes, not at fours': [
    'x : Int; a : DWord; b : DInt; c : UDInt; d : Real; e : Time; f : Time_Of_Day; g : TOD;',
    [
      ...['x INT 0.0', 'a DWORD 2.0', 'b DINT 6.0', 'c UDINT 10.0', 'd REAL 14.0', 'e TIME 18.0'],
      ...['f TIME_OF_DAY 22.0', 'g TOD 26.0'],
    ],
  ],
  'types of eight bytes lie at even bytes, not at eights': [
    'x : Int; a : LWord; b : LInt; c : ULInt; d : LReal; e : LTime; f : LTOD; g : LDT; h : DT; i : Date_And_Time;',
    [
      ...['x INT 0.0', 'a LWORD 2.0', 'b LINT 10.0', 'c ULINT 18.0', 'd LREAL 26.0', 'e LTIME 34.0', 'f LTOD 42.0'],
      ...['g LDT 50.0', 'h DT 58.0', 'i DATE_AND_TIME 66.0'],
    ],
  ],
  'the long names of times': [
    'a : LTime_Of_Day; b : Date_And_LTime; c : Bool;',
    ['a LTIME_OF_DAY 0.0', 'b DATE_AND_LTIME 8.0', 'c BOOL 16.0'],
  ],
  'a DTL is one member of 12 bytes': ['a : Byte; b : DTL; c : Bool;', ['a BYTE 0.0', 'b DTL 2.0', 'c BOOL 14.0']],
  'a STRING[n] takes n + 2 bytes and starts at an even one': [
    'a : Bool; b : String[5]; c : Byte; d : String[20]; e : Bool;',
    ['a BOOL 0.0', 'b STRING[5] 2.0', 'c BYTE 9.0', 'd STRING[20] 10.0', 'e BOOL 32.0'],
  ],
  'a STRING without a length has 254 characters': ['a : String; b : Byte;', ['a STRING 0.0', 'b BYTE 256.0']],
  'a WSTRING[n] takes 2n + 4 bytes': [
    'a : Byte; b : WString[5]; c : Byte; d : WString; e : Byte;',
    ['a BYTE 0.0', 'b WSTRING[5] 2.0', 'c BYTE 16.0', 'd WSTRING 18.0', 'e BYTE 530.0'],
  ],
  'pointers and the timers of IEC': [
    'a : Bool; b : Any; c : Pointer; d : IEC_TIMER; e : IEC_COUNTER; f : TON_TIME; g : Bool;',
    [
      ...['a BOOL 0.0', 'b ANY 2.0', 'c POINTER 12.0', 'd IEC_TIMER 18.0', 'e IEC_COUNTER 34.0', 'f TON_TIME 40.0'],
      'g BOOL 56.0',
    ],
  ],
  'an array of BOOL starts at an even byte and fills up to one': [
    'a : Bool; b : Array[0..9] of Bool; c : Bool;',
    [
      'a BOOL 0.0',
      ...Array.from({ length: 10 }, (_, i) => `b[${i}] BOOL ${2 + Math.floor(i / 8)}.${i % 8}`),
      'c BOOL 4.0',
    ],
  ],
  'a short array of BOOL fills two bytes': [
    'a : Array[1..3] of Bool; b : Byte;',
    ['a[1] BOOL 0.0', 'a[2] BOOL 0.1', 'a[3] BOOL 0.2', 'b BYTE 2.0'],
  ],
  'an array of BYTE starts at an even byte and fills up to one': [
    'a : Byte; b : Array[1..3] of Byte; c : Byte;',
    ['a BYTE 0.0', 'b[1] BYTE 2.0', 'b[2] BYTE 3.0', 'b[3] BYTE 4.0', 'c BYTE 6.0'],
  ],
  'an array of CHAR': [
    'a : Array[1..3] of Char; b : Bool;',
    ['a[1] CHAR 0.0', 'a[2] CHAR 1.0', 'a[3] CHAR 2.0', 'b BOOL 4.0'],
  ],
  'an array of REAL with a negative lower limit': [
    'a : Bool; b : Array[-1..1] of Real;',
    ['a BOOL 0.0', 'b[-1] REAL 2.0', 'b[0] REAL 6.0', 'b[1] REAL 10.0'],
  ],
  'an array of STRING of odd length: each at an even byte': [
    'a : Array[1..2] of String[5]; b : Byte;',
    ['a[1] STRING[5] 0.0', 'a[2] STRING[5] 8.0', 'b BYTE 16.0'],
  ],
  'two dimensions: the last index runs fastest': [
    'a : Array[1..2, 1..3] of Int;',
    ['a[1,1] INT 0.0', 'a[1,2] INT 2.0', 'a[1,3] INT 4.0', 'a[2,1] INT 6.0', 'a[2,2] INT 8.0', 'a[2,3] INT 10.0'],
  ],
  'three dimensions': [
    'a : Array[0..1, 0..1, 0..1] of Word; b : Bool;',
    [
      ...['a[0,0,0] WORD 0.0', 'a[0,0,1] WORD 2.0', 'a[0,1,0] WORD 4.0', 'a[0,1,1] WORD 6.0', 'a[1,0,0] WORD 8.0'],
      ...['a[1,0,1] WORD 10.0', 'a[1,1,0] WORD 12.0', 'a[1,1,1] WORD 14.0', 'b BOOL 16.0'],
    ],
  ],
  'two dimensions of BOOL: each row starts at a byte of its own': [
    'a : Array[1..2, 1..3] of Bool; b : Bool;',
    [
      ...['a[1,1] BOOL 0.0', 'a[1,2] BOOL 0.1', 'a[1,3] BOOL 0.2', 'a[2,1] BOOL 1.0', 'a[2,2] BOOL 1.1'],
      ...['a[2,3] BOOL 1.2', 'b BOOL 2.0'],
    ],
  ],
  'two dimensions of BYTE: rows follow byte by byte': [
    'a : Array[1..2, 1..3] of Byte; b : Byte;',
    [
      'a[1,1] BYTE 0.0',
      'a[1,2] BYTE 1.0',
      'a[1,3] BYTE 2.0',
      'a[2,1] BYTE 3.0',
      'a[2,2] BYTE 4.0',
      'a[2,3] BYTE 5.0',
      'b BYTE 6.0',
    ],
  ],
  'a structure starts at an even byte and fills up to one': [
    'a : Bool; s : Struct x : Bool; y : Byte; z : Byte; END_STRUCT; b : Bool;',
    ['a BOOL 0.0', 's.x BOOL 2.0', 's.y BYTE 3.0', 's.z BYTE 4.0', 'b BOOL 6.0'],
  ],
  'structures in structures': [
    'a : Struct b : Byte; c : Struct d : Bool; END_STRUCT; e : Struct f : Int; END_STRUCT; g : Bool; END_STRUCT; h : Bool;',
    ['a.b BYTE 0.0', 'a.c.d BOOL 2.0', 'a.e.f INT 4.0', 'a.g BOOL 6.0', 'h BOOL 8.0'],
  ],
  'an array of structures': [
    'n : Int; a : Array[1..2] of Struct x : Bool; y : Real; z : Byte; END_STRUCT; b : Bool;',
    [
      'n INT 0.0',
      'a[1].x BOOL 2.0',
      'a[1].y REAL 4.0',
      'a[1].z BYTE 8.0',
      'a[2].x BOOL 10.0',
      'a[2].y REAL 12.0',
      'a[2].z BYTE 16.0',
      'b BOOL 18.0',
    ],
  ],
  'an array of structures in two dimensions': [
    'a : Array[1..2, 0..1] of Struct x : Byte; END_STRUCT;',
    ['a[1,0].x BYTE 0.0', 'a[1,1].x BYTE 2.0', 'a[2,0].x BYTE 4.0', 'a[2,1].x BYTE 6.0'],
  ],
  'arrays within structures within arrays': [
    'a : Array[1..2] of Struct f : Array[0..8] of Bool; w : Array[1..2] of Real; END_STRUCT;',
    [1, 2].flatMap((n) => {
      const start = (n - 1) * 10;
      return [
        ...Array.from({ length: 9 }, (_, i) => `a[${n}].f[${i}] BOOL ${start + Math.floor(i / 8)}.${i % 8}`),
        `a[${n}].w[1] REAL ${start + 2}.0`,
        `a[${n}].w[2] REAL ${start + 6}.0`,
      ];
    }),
  ],
  'an array of arrays: each inner one fills up to an even byte': [
    'a : Array[1..2] of Array[1..3] of Byte;',
    [
      'a[1][1] BYTE 0.0',
      'a[1][2] BYTE 1.0',
      'a[1][3] BYTE 2.0',
      'a[2][1] BYTE 4.0',
      'a[2][2] BYTE 5.0',
      'a[2][3] BYTE 6.0',
    ],
  ],
  'initial values of every kind': [
    `a : Int := 5; b : Real := 1.5E+3; c : String[4] := 'a;$'b'; d : Time := T#1d_2h; e : Array[1..2] of Int := 2(7);
     f : DTL := DTL#1970-01-01-00:00:00; g : Word := W#16#FF; h : WString[2] := WSTRING#'ab'; i : Bool := TRUE;`,
    [
      ...['a INT 0.0', 'b REAL 2.0', 'c STRING[4] 6.0', 'd TIME 12.0', 'e[1] INT 16.0', 'e[2] INT 18.0', 'f DTL 20.0'],
      ...['g WORD 32.0', 'h WSTRING[2] 34.0', 'i BOOL 42.0'],
    ],
  ],
  'comments of every kind, also with declarations in them': [
    `a : Byte; // b : Int;
     (* c : Int;
        d : Int; *)
     e : Byte; /* f : Int; */ g { ExternalWritable := 'False' } : Byte; (/* deutsch: h : Int; */)`,
    ['a BYTE 0.0', 'e BYTE 1.0', 'g BYTE 2.0'],
  ],
  'attributes of members, and names in quotes': [
    `"Order no." { S7_SetPoint := 'True'; S7_visible := 'true' } : String[4]; "Struct" : Bool; Größe : Int;`,
    ['Order no. STRING[4] 0.0', 'Struct BOOL 6.0', 'Größe INT 8.0'],
  ],
  'keywords and types in any case': [
    'A : ARRAY [ 0 .. 1 ] OF sTrUcT x : bool; y : string [ 2 ]; end_struct ; b : DINT;',
    ['A[0].x BOOL 0.0', 'A[0].y STRING[2] 2.0', 'A[1].x BOOL 6.0', 'A[1].y STRING[2] 8.0', 'b DINT 12.0'],
  ],
};

describe('members of a block lie where standard access puts them', () => {
  for (const [name, [members, expected]] of Object.entries(MEMBERS))
    test(name, () => assert.deepEqual(lines(block(members)), expected));
});

const UDT = `TYPE "UDT_Batch"
TITLE = The operator's record; nothing of this line counts
AUTHOR : Mill
VERSION : 0.1
   STRUCT
      Order : String[10];   // order number
      Done : Bool;
   END_STRUCT;

END_TYPE
`;

/** Whole sources → where their members lie. */
const SOURCES: Record<string, [source: string, expected: string[]]> = {
  'a PLC data type used twice': [
    `${UDT}DATA_BLOCK "Batches"\n{ S7_Optimized_Access := 'FALSE' }\nSTRUCT\n n : Byte;\n Batch : Array[1..2] of "UDT_Batch";\nEND_STRUCT;\nBEGIN\n Batch[1].Done := TRUE;\nEND_DATA_BLOCK`,
    [
      'n BYTE 0.0',
      'Batch[1].Order STRING[10] 2.0',
      'Batch[1].Done BOOL 14.0',
      'Batch[2].Order STRING[10] 16.0',
      'Batch[2].Done BOOL 28.0',
    ],
  ],
  'a PLC data type declared behind the block, its name in another case': [
    `DATA_BLOCK "Batches"\nSTRUCT\n b : "udt_batch";\nEND_STRUCT;\nBEGIN\nEND_DATA_BLOCK\n${UDT}`,
    ['b.Order STRING[10] 0.0', 'b.Done BOOL 12.0'],
  ],
  'a block that is a PLC data type': [
    `${UDT}DATA_BLOCK "Batch"\nVERSION : 0.1\nNON_RETAIN\n"UDT_Batch"\n\nBEGIN\n   Done := FALSE;\nEND_DATA_BLOCK`,
    ['Order STRING[10] 0.0', 'Done BOOL 12.0'],
  ],
  'a PLC data type alone': [UDT, ['Order STRING[10] 0.0', 'Done BOOL 12.0']],
  'of PLC data types alone, the one that holds the others': [
    `${UDT}TYPE "UDT_Line"\nSTRUCT\n b : "UDT_Batch";\n n : Int;\nEND_STRUCT;\nEND_TYPE`,
    ['b.Order STRING[10] 0.0', 'b.Done BOOL 12.0', 'n INT 14.0'],
  ],
  'STEP 7: absolute names, UDT and block without attributes': [
    `TYPE UDT 5\n  STRUCT\n   w : REAL ;\t//weight\n   ok : BOOL ;\n  END_STRUCT ;\nEND_TYPE\nDATA_BLOCK DB 10\nTITLE =\nVERSION : 0.0\n\n  STRUCT\n   n : INT  := 3;\n   b : ARRAY  [1 .. 2 ] OF //slots\n    UDT 5;\n  END_STRUCT ;\nBEGIN\n   n := 3;\n   b[1].w := 0.000000e+000;\nEND_DATA_BLOCK`,
    ['n INT 0.0', 'b[1].w REAL 2.0', 'b[1].ok BOOL 6.0', 'b[2].w REAL 8.0', 'b[2].ok BOOL 12.0'],
  ],
  "TIA Portal's VAR sections": [
    `DATA_BLOCK "Batches"\n{ S7_Optimized_Access := 'FALSE' ; DBAccessibleFromOPCUA := 'TRUE'}\nVERSION : 0.1\n   VAR RETAIN\n      a : Bool;\n   END_VAR\n   VAR\n      b : Int;\n   END_VAR\nBEGIN\nEND_DATA_BLOCK`,
    ['a BOOL 0.0', 'b INT 2.0'],
  ],
  'two blocks: paths start with the name of the block': [
    `DATA_BLOCK "A"\nSTRUCT\n x : Int;\nEND_STRUCT;\nBEGIN\nEND_DATA_BLOCK\nDATA_BLOCK "B"\nSTRUCT\n x : Int;\nEND_STRUCT;\nBEGIN\nEND_DATA_BLOCK`,
    ['A.x INT 0.0', 'B.x INT 0.0'],
  ],
  'functions and their code are passed over': [
    `FUNCTION_BLOCK "Weigh"\n{ S7_Optimized_Access := 'TRUE' }\nVAR_INPUT\n x : Bool;\nEND_VAR\nBEGIN\n REGION Don't stop\n  IF #x THEN "Batches".b := 'it''s'; END_IF;\n END_REGION\nEND_FUNCTION_BLOCK\n${UDT}`,
    ['Order STRING[10] 0.0', 'Done BOOL 12.0'],
  ],
  'members alone, copied out of a block': ['STRUCT\n a : Bool;\n b : Int;\nEND_STRUCT;', ['a BOOL 0.0', 'b INT 2.0']],
  'Windows line ends and a byte order mark': [
    `\uFEFF${UDT.replaceAll('\n', '\r\n')}`,
    ['Order STRING[10] 0.0', 'Done BOOL 12.0'],
  ],
};

describe('sources as TIA Portal and STEP 7 write them', () => {
  for (const [name, [source, expected]] of Object.entries(SOURCES))
    test(name, () => assert.deepEqual(lines(source), expected));

  test('the number of a block and the comments beside members are kept', () => {
    const [first] = parseSource('DATA_BLOCK DB 10\nSTRUCT\n x : INT ;\nEND_STRUCT\nEND_DATA_BLOCK').blocks;
    assert.equal(first?.number, 10);
    assert.deepEqual(
      layOut(UDT).map(({ comment }) => comment),
      ['order number', ''],
    );
  });

  test('a block of 64 KB is laid out, a longer one is refused before anything is unrolled', () => {
    assert.equal(layOut(block('a : Array[0..65535] of Byte;')).length, 65_536);
    assert.throws(() => layOut(block('a : Array[0..2000000000] of Bool;')), { fault: 'tooLong' });
  });

  test('a file may be UTF-8, UTF-16 or of the Windows code page', () => {
    const text = 'Größe : Int;';
    assert.equal(textOfFile(Buffer.from(text)), text);
    assert.equal(textOfFile(Buffer.from(text, 'latin1')), text);
    const utf16 = Buffer.from(`\ufeff${text}`, 'utf16le');
    assert.equal(textOfFile(utf16), text);
    assert.equal(textOfFile(utf16.swap16()), text);
  });
});

/** Sources that cannot be laid out → what is said. */
const REFUSED: Record<string, [source: string, fault: string, values: Record<string, string | number>]> = {
  'an optimized block': [block('a : Bool;').replace("'FALSE'", "'TRUE'"), 'optimized', { line: 1, found: 'Weigher' }],
  'a missing semicolon': [block('a : Bool\n b : Int;'), 'expected', { line: 7, expected: ';', found: 'b' }],
  'a missing colon': [block('a Bool;'), 'expected', { line: 6, expected: ':', found: 'Bool' }],
  'a missing type': [block('a : ;'), 'expectedType', { line: 6, found: ';' }],
  'a missing name': [block(': Bool;'), 'expectedName', { line: 6, found: ':' }],
  'a type that is not in the source': [block('a : Int;\nb : "UDT_x";'), 'unknownType', { line: 7, found: 'UDT_x' }],
  'a misspelled type': [block('a : Reel;'), 'unknownType', { line: 6, found: 'Reel' }],
  'a limit that is a constant': [block('a : Array[1.."MAX"] of Int;'), 'bound', { line: 6, found: 'MAX' }],
  'limits the wrong way round': [block('a : Array[3..1] of Int;'), 'bounds', { line: 6, low: 3, high: 1 }],
  'a STRING that is too long': [
    block('a : String[255];'),
    'length',
    { line: 6, type: 'STRING', most: 254, found: '255' },
  ],
  'a structure without its end': [
    'DATA_BLOCK "A"\nSTRUCT\n a : Int;\n',
    'expected',
    { line: 4, expected: 'END_STRUCT' },
  ],
  'a block without its end': [
    'DATA_BLOCK "A"\nSTRUCT\n a : Int;\nEND_STRUCT;\n',
    'expected',
    { line: 5, expected: 'END_DATA_BLOCK' },
  ],
  'a block without members': [
    'DATA_BLOCK "A"\nVERSION : 0.1\nBEGIN\nEND_DATA_BLOCK',
    'expected',
    { line: 3, expected: 'STRUCT' },
  ],
  'a comment without its end': ['TYPE "A"\n(* open', 'unended', { line: 2, found: '(*' }],
  'a PLC data type that holds itself': [
    'TYPE "A"\nSTRUCT\n n : Array[1..2] of "A";\nEND_STRUCT;\nEND_TYPE',
    'circle',
    { line: 3, found: 'A' },
  ],
  'no source at all': ['Hello, world', 'expectedBlock', { line: 1, found: 'Hello' }],
  'an empty text': ['  \n', 'nothing', { line: 2 }],
};

describe('what cannot be laid out is refused with its line', () => {
  for (const [name, [source, fault, values]] of Object.entries(REFUSED)) {
    test(name, () => {
      assert.throws(
        () => layOut(source),
        (error: unknown) => {
          assert.ok(error instanceof SourceError, String(error));
          assert.equal(error.fault, fault);
          for (const [key, value] of Object.entries(values)) assert.equal(error.values[key], value, key);
          return true;
        },
      );
    });
  }
});
