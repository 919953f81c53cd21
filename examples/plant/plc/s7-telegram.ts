/**
 * S7 communication telegrams (protocol id 0x32) as a CPU answers them: setup communication, read var, write var and the
 * CPU state. Pure: bytes in, bytes out. Numbers follow the Wireshark dissector packet-s7comm.c and the constants of nodes7.
 */

const PROTOCOL_ID = 0x32;
const JOB = 0x01;
const ACK = 0x02;
const ACK_DATA = 0x03;
const USERDATA = 0x07;

const SETUP_COMMUNICATION = 0xf0;
const READ_VAR = 0x04;
const WRITE_VAR = 0x05;

const AREA_DB = 0x84;
const ITEM_BYTES = 12;
/** No CPU takes more items in one read or write. */
const MOST_ITEMS = 20;

/** Header error: service not available; an S7-1200/1500 says so too while PUT/GET is not permitted. */
const SERVICE_NOT_AVAILABLE = 0x8104;
/** Header error: the telegram is malformed, or its answer would not fit the PDU. */
const WRONG_FRAME = 0x8500;

/** Return codes of one item. */
export const ITEM_OK = 0xff;
export const ITEM_ACCESS_DENIED = 0x03;
export const ITEM_OUT_OF_RANGE = 0x05;
export const ITEM_TYPE_NOT_SUPPORTED = 0x06;
export const ITEM_TYPE_INCONSISTENT = 0x07;
export const ITEM_DOES_NOT_EXIST = 0x0a;

/** Transport sizes of a request: bytes per element, and how an answer to it states its length. */
const BIT = 0x01;
const TRANSPORTS = new Map<number, { bytes: number; answer: number }>([
  [BIT, { bytes: 1, answer: 0x03 }],
  [0x02, { bytes: 1, answer: 0x04 }], // BYTE
  [0x03, { bytes: 1, answer: 0x09 }], // CHAR
  [0x04, { bytes: 2, answer: 0x04 }], // WORD
  [0x05, { bytes: 2, answer: 0x05 }], // INT
  [0x06, { bytes: 4, answer: 0x04 }], // DWORD
  [0x07, { bytes: 4, answer: 0x05 }], // DINT
  [0x08, { bytes: 4, answer: 0x07 }], // REAL
]);
/** Data transports (byte/word and integer) whose length field counts bits; BIT counts bits too, one to a byte here. */
const LENGTH_IN_BITS = new Set([0x04, 0x05]);

/** What the telegrams act on. */
export interface S7Cpu {
  pduSize: number;
  parallelJobs: number;
  /** Answer every variable with "access denied". */
  denyItems: boolean;
  /** Answer read and write var with "service not available". */
  denyServices: boolean;
  running: boolean;
  /** The data block's memory; undefined: the block does not exist. */
  memory: (db: number) => Buffer | undefined;
  /** Before the bytes of an item are copied into the answer. */
  beforeRead: (db: number, start: number, length: number) => void;
  /** After the bytes of an item have been written. */
  afterWrite: (db: number, start: number, length: number) => void;
  counters: { reads: number; writes: number };
}

/** What one connection has agreed on. */
export interface S7Session {
  /** Bytes of the largest telegram; 240 until setup communication. */
  pduSize: number;
}

interface Item {
  transport: number;
  db: number;
  area: number;
  /** Byte offset and, for BIT, the bit in it. */
  start: number;
  bit: number;
  /** Bytes. */
  length: number;
}

const errorAnswer = (reference: number, code: number): Buffer => {
  const header = Buffer.alloc(12);
  header.set([PROTOCOL_ID, ACK]);
  header.writeUInt16BE(reference, 4);
  header.writeUInt16BE(code, 10);
  return header;
};

const answer = (reference: number, parameter: Buffer, data: Buffer): Buffer => {
  const header = errorAnswer(reference, 0);
  header[1] = ACK_DATA;
  header.writeUInt16BE(parameter.length, 6);
  header.writeUInt16BE(data.length, 8);
  return Buffer.concat([header, parameter, data]);
};

/** The S7ANY items of a read or write; undefined when the parameter is malformed, or there are too many. */
function parseItems(parameter: Buffer): Item[] | undefined {
  const count = parameter[1] ?? 0;
  if (!count || count > MOST_ITEMS || parameter.length !== 2 + count * ITEM_BYTES) return undefined;
  return Array.from({ length: count }, (_, index) => {
    const at = 2 + index * ITEM_BYTES;
    const s7any = parameter.readUInt16BE(at) === 0x120a && parameter[at + 2] === 0x10;
    const transport = s7any ? parameter.readUInt8(at + 3) : 0;
    const address = parameter.readUIntBE(at + 9, 3);
    return {
      transport,
      length: parameter.readUInt16BE(at + 4) * (TRANSPORTS.get(transport)?.bytes ?? 0),
      db: parameter.readUInt16BE(at + 6),
      area: parameter.readUInt8(at + 8),
      start: address >> 3,
      bit: address & 7,
    };
  });
}

/** The memory an item names, or the return code that refuses it. */
function locate(cpu: S7Cpu, { transport, area, db, start, length }: Item): Buffer | number {
  if (cpu.denyItems) return ITEM_ACCESS_DENIED;
  if (!TRANSPORTS.has(transport) || (transport === BIT && length !== 1)) return ITEM_TYPE_NOT_SUPPORTED;
  const memory = area === AREA_DB ? cpu.memory(db) : undefined;
  if (!memory) return ITEM_DOES_NOT_EXIST;
  return length === 0 || start + length > memory.length ? ITEM_OUT_OF_RANGE : memory.subarray(start, start + length);
}

/** Items of odd length are followed by a fill byte, except the last one. */
const padded = (buffer: Buffer, last: boolean): Buffer =>
  !last && buffer.length % 2 ? Buffer.concat([buffer, Buffer.alloc(1)]) : buffer;

function readItem(cpu: S7Cpu, item: Item): Buffer {
  cpu.counters.reads += 1;
  cpu.beforeRead(item.db, item.start, item.length);
  const found = locate(cpu, item);
  if (typeof found === 'number') return Buffer.from([found, 0, 0, 0]);
  const transport = TRANSPORTS.get(item.transport)?.answer ?? 0;
  const data = item.transport === BIT ? Buffer.from([(found.readUInt8(0) >> item.bit) & 1]) : Buffer.from(found);
  const head = Buffer.from([ITEM_OK, transport, 0, 0]);
  head.writeUInt16BE(LENGTH_IN_BITS.has(transport) ? data.length * 8 : data.length, 2);
  return Buffer.concat([head, data]);
}

function readVar(cpu: S7Cpu, session: S7Session, reference: number, parameter: Buffer): Buffer {
  const items = parseItems(parameter);
  if (!items) return errorAnswer(reference, WRONG_FRAME);
  const parts = items.map((item, index) => padded(readItem(cpu, item), index === items.length - 1));
  const telegram = answer(reference, Buffer.from([READ_VAR, items.length]), Buffer.concat(parts));
  return telegram.length > session.pduSize ? errorAnswer(reference, WRONG_FRAME) : telegram;
}

function writeItem(cpu: S7Cpu, item: Item, data: Buffer): number {
  cpu.counters.writes += 1;
  const found = locate(cpu, item);
  if (typeof found === 'number') return found;
  if (data.length !== item.length) return ITEM_TYPE_INCONSISTENT;
  if (item.transport === BIT) {
    const mask = 1 << item.bit;
    found[0] = data.readUInt8(0) & 1 ? found.readUInt8(0) | mask : found.readUInt8(0) & ~mask;
  } else data.copy(found);
  cpu.afterWrite(item.db, item.start, item.length);
  return ITEM_OK;
}

function writeVar(cpu: S7Cpu, reference: number, parameter: Buffer, data: Buffer): Buffer {
  const items = parseItems(parameter);
  if (!items) return errorAnswer(reference, WRONG_FRAME);
  const values: Buffer[] = [];
  let at = 0;
  while (values.length < items.length) {
    if (at + 4 > data.length) return errorAnswer(reference, WRONG_FRAME);
    const length = data.readUInt16BE(at + 2);
    const bytes = LENGTH_IN_BITS.has(data.readUInt8(at + 1)) ? Math.ceil(length / 8) : length;
    if (at + 4 + bytes > data.length) return errorAnswer(reference, WRONG_FRAME);
    values.push(data.subarray(at + 4, at + 4 + bytes));
    at += 4 + bytes + (bytes % 2 && values.length < items.length ? 1 : 0);
  }
  const codes = items.map((item, index) => writeItem(cpu, item, values[index] ?? Buffer.alloc(0)));
  return answer(reference, Buffer.from([WRITE_VAR, items.length]), Buffer.from(codes));
}

function setup(cpu: S7Cpu, session: S7Session, reference: number, parameter: Buffer): Buffer {
  if (parameter.length < 8) return errorAnswer(reference, WRONG_FRAME);
  session.pduSize = Math.min(parameter.readUInt16BE(6), cpu.pduSize);
  const agreed = Buffer.from([SETUP_COMMUNICATION, 0, 0, 0, 0, 0, 0, 0]);
  agreed.writeUInt16BE(Math.min(parameter.readUInt16BE(2), cpu.parallelJobs), 2);
  agreed.writeUInt16BE(Math.min(parameter.readUInt16BE(4), cpu.parallelJobs), 4);
  agreed.writeUInt16BE(session.pduSize, 6);
  return answer(reference, agreed, Buffer.alloc(0));
}

/** Userdata: only SZL 0x0424 (operating state: 0x08 RUN, 0x04 STOP) is known; anything else is "not available". */
function userdata(cpu: S7Cpu, reference: number, parameter: Buffer, data: Buffer): Buffer {
  const asked = parameter.length >= 8 ? parameter.subarray(5, 8) : Buffer.alloc(3);
  const known = asked[0] === 0x44 && asked[1] === 0x01 && data.length >= 8 && data.readUInt16BE(4) === 0x0424;
  const head = Buffer.from([0, 1, 0x12, 8, 0x12, 0x80 | ((asked[0] ?? 0) & 0x0f), asked[1] ?? 0, asked[2] ?? 0]);
  const error = Buffer.alloc(4);
  if (!known) error.writeUInt16BE(SERVICE_NOT_AVAILABLE, 2);
  const record = Buffer.alloc(20);
  record.set([0x51, 0x44, 0xff, cpu.running ? 0x08 : 0x04]);
  const list = Buffer.concat([Buffer.from([0x04, 0x24, 0, 0, 0, record.length, 0, 1]), record]);
  const body = known
    ? Buffer.concat([Buffer.from([ITEM_OK, 0x09, 0, list.length]), list])
    : Buffer.from([ITEM_DOES_NOT_EXIST, 0, 0, 0]);
  const header = Buffer.from([PROTOCOL_ID, USERDATA, 0, 0, 0, 0, 0, head.length + error.length, 0, body.length]);
  header.writeUInt16BE(reference, 4);
  return Buffer.concat([header, head, error, body]);
}

/** True for a read or write: the telegrams that the faults "drop" and "garbage" act on, so that connecting still works. */
export const isVariableAccess = (telegram: Buffer): boolean =>
  telegram[1] === JOB && (telegram[10] === READ_VAR || telegram[10] === WRITE_VAR);

export const isWrite = (telegram: Buffer): boolean => telegram[1] === JOB && telegram[10] === WRITE_VAR;

/** The data blocks that a read or write names; none of any other telegram. */
export function blocksOf(telegram: Buffer): number[] {
  if (!isVariableAccess(telegram)) return [];
  const items = parseItems(telegram.subarray(10, 10 + telegram.readUInt16BE(6))) ?? [];
  return items.filter(({ area }) => area === AREA_DB).map(({ db }) => db);
}

/**
 * Answers one telegram.
 * @param telegram a whole S7 telegram, without TPKT and COTP
 * @returns the answer; undefined when the bytes are no S7 request (a CPU drops the connection then)
 */
export function answerTelegram(cpu: S7Cpu, session: S7Session, telegram: Buffer): Buffer | undefined {
  if (telegram.length < 10 || telegram[0] !== PROTOCOL_ID) return undefined;
  const reference = telegram.readUInt16BE(4);
  const parameterEnd = 10 + telegram.readUInt16BE(6);
  const dataEnd = parameterEnd + telegram.readUInt16BE(8);
  if (dataEnd > telegram.length || telegram.length > session.pduSize) return errorAnswer(reference, WRONG_FRAME);
  const parameter = telegram.subarray(10, parameterEnd);
  const data = telegram.subarray(parameterEnd, dataEnd);
  if (telegram[1] === USERDATA) return userdata(cpu, reference, parameter, data);
  if (telegram[1] !== JOB) return undefined;
  if (parameter[0] === SETUP_COMMUNICATION) return setup(cpu, session, reference, parameter);
  if (parameter[0] === READ_VAR && !cpu.denyServices) return readVar(cpu, session, reference, parameter);
  if (parameter[0] === WRITE_VAR && !cpu.denyServices) return writeVar(cpu, reference, parameter, data);
  return errorAnswer(reference, SERVICE_NOT_AVAILABLE);
}
