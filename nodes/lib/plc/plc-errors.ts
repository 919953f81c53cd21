/**
 * What a failed exchange with the PLC means: its kind, the likely cause and where to look for it, in TIA Portal's words.
 */

export type PlcErrorKind =
  /** No connection, or it was cut. */
  | 'offline'
  /** Connected, but no answer in time. */
  | 'timeout'
  | 'missing-block'
  /** The CPU refuses: PUT/GET, protection level, optimized block, outside the block. */
  | 'access'
  /** The CPU is in STOP. */
  | 'stop'
  /** A slot does not fit one telegram. */
  | 'too-big'
  /** An answer that makes no sense. */
  | 'protocol';

/** A whole read or write that failed: nothing of it may be used. */
export class PlcError extends Error {
  override readonly name = 'PlcError';

  constructor(
    readonly kind: PlcErrorKind,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

const OPTIMIZED =
  'On an S7-1200/1500 a block with optimized access answers like this too: TIA Portal, the data block, Properties > ' +
  'Attributes, clear "Optimized block access", compile and download.';
const PUT_GET =
  'On an S7-1200/1500: TIA Portal, the CPU, Properties > Protection & Security > Connection mechanisms, tick "Permit ' +
  'access with PUT/GET communication from remote partner", and an access level that allows read and write; download.';
const OFFLINE =
  'Check power and cable, the address and port 102 (firewall), and rack/slot in the S7 endpoint: S7-1200/1500 rack 0 ' +
  'slot 1, S7-300 rack 0 slot 2, S7-400 as in the hardware configuration. It is tried again by itself.';
const TIMEOUT =
  'Check the network and the load of the CPU ("Cycle load due to communication" in its properties); too many partners ' +
  'may hold its connections. It is tried again with the next trigger.';

/** Return codes of one item (constants.json of nodes7, proto.retval). */
export const ITEM_OK = 0xff;
const ITEM_DENIED = 0x03;
const ITEM_ADDRESS = 0x05;
const ITEM_MISSING = 0x0a;
/** Header errors (constants.json of nodes7, proto.errorCodeDesc). */
const SERVICE_NOT_AVAILABLE = 0x8104;
const PROTECTION_LEVEL = [0xd0a1, 0xd217, 0xd241];
const WRONG_MODE = [0xd081, 0xd0c2];

const hex = (code: number): string => `0x${code.toString(16).toUpperCase().padStart(2, '0')}`;

/** The CPU said no, with a code. */
function refused(code: number, db: number, where: string, cause?: unknown): PlcError {
  const says = `PLC: ${where} was refused with ${hex(code)}`;
  if (code === ITEM_MISSING) {
    const text = `${says}: DB${db} does not exist. Check its number, and that it was downloaded to this CPU. ${OPTIMIZED}`;
    return new PlcError('missing-block', text, { cause });
  }
  if (code === ITEM_ADDRESS) {
    const text = `${says}: outside of DB${db}. Check base, stride and number of slots against its length. ${OPTIMIZED}`;
    return new PlcError('access', text, { cause });
  }
  if (code === ITEM_DENIED || code === SERVICE_NOT_AVAILABLE || PROTECTION_LEVEL.includes(code)) {
    return new PlcError('access', `${says}: the CPU does not permit access. ${PUT_GET}`, { cause });
  }
  if (WRONG_MODE.includes(code)) return stopped(where, cause);
  return new PlcError('protocol', `${says}. Look the code up in the CPU's diagnostics buffer.`, { cause });
}

/** The CPU does not run its program: what stands in its memory is frozen, perhaps in the middle of a change. */
export const stopped = (where: string, cause?: unknown): PlcError =>
  new PlcError(
    'stop',
    `PLC: the CPU is in STOP, so ${where} is not used. Find the reason in its diagnostics buffer (TIA Portal, Online & ` +
      'diagnostics) and switch it to RUN.',
    { cause },
  );

/** @param last the endpoint's last error, which often names the cause (ECONNREFUSED …) */
export const offline = (where: string, last?: unknown, cause?: unknown): PlcError => {
  const said = last instanceof Error && last.message ? ` (${last.message})` : '';
  return new PlcError('offline', `PLC: offline${said}, ${where} failed. ${OFFLINE}`, { cause: cause ?? last });
};

/** @param ms the limit that passed, when it was our own */
export const timedOut = (where: string, ms?: number, cause?: unknown): PlcError => {
  const limit = ms === undefined ? 'in the time that the S7 endpoint allows' : `within ${ms} ms`;
  return new PlcError('timeout', `PLC: no answer to ${where} ${limit}. ${TIMEOUT}`, { cause });
};

/** What the dialog takes for a time limit at most (ms). */
const LONGEST_LIMIT = 60_000;

/** Some slots were answered, the others not in time: the PLC is there, the limit is too short for so many telegrams. */
export function tooSlow(
  where: string,
  { answered, slots, ms }: { answered: number; slots: number; ms: number },
): PlcError {
  const each = Math.ceil(ms / answered);
  const enough = Math.ceil((1.5 * each * slots) / 500) * 500;
  const remedy =
    enough > LONGEST_LIMIT
      ? 'divide the slots among several nodes'
      : `raise the time limit of this node to ${enough} ms or more, or divide the slots among several nodes`;
  const text = `PLC: ${where} takes longer than the time limit: ${answered} of ${slots} slots were answered within ${ms} ms, about ${each} ms each. If that is usual here, ${remedy}.`;
  return new PlcError('timeout', text);
}

/** An item's return code as an error. @param where e.g. "reading DB100 bytes 0..87 (slot 1)" */
export const itemRefused = (code: number, db: number, where: string): PlcError => refused(code, db, where);

/** Names an error of nodes7 by its code: numbers come from the PLC, strings from nodes7 itself (its errors.js). */
export function toPlcError(error: unknown, db: number, where: string, lastEndpointError?: unknown): PlcError {
  if (error instanceof PlcError) return error;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (typeof code === 'number') return refused(code, db, where, error);
  if (code === 'ERR_TIMEOUT') return timedOut(where, undefined, error);
  if (code === 'ERR_NOT_CONNECTED' || code === 'ERR_INTERRUPTED') return offline(where, lastEndpointError, error);
  const text = error instanceof Error ? error.message : String(error);
  return new PlcError(
    'protocol',
    `PLC: ${where} failed: ${text}. Is this an S7 CPU, and nothing between that alters it?`,
    {
      cause: error,
    },
  );
}
