/**
 * What the addon's routes answer: status, errors[], every code that was sent. Neither is a "success" that can be checked.
 */
import { type Concluded, concluded, LONGEST_REASON, shortened } from '../../domain/conclusion';
import { matches } from '../../domain/schema';
import { sameForOdoo } from '../../domain/weight';
import { inOneLine, LONGEST_LINE, passing, type Read } from '../answer';

/** So many of Odoo's errors[] are looked at: one for every silo, and as many that nobody asked for. */
const MOST_ERRORS = 50;

/** What the addon's routes put into `result`. */
export interface AddonResult {
  status: string;
  message?: string;
  errors?: string[];
  consumed_items?: { equipment_code: string; applied_qty: number }[];
  /** kg of finished goods, when the update carried them (exchange 119). */
  updated_finished_qty?: number;
  data?: unknown;
}

const isAddonResult = matches<AddonResult>({
  type: 'object',
  required: ['status'],
  properties: {
    status: { type: 'string' },
    message: { type: 'string' },
    errors: { type: 'array', items: { type: 'string' } },
    updated_finished_qty: { type: 'number' },
    consumed_items: {
      type: 'array',
      items: {
        type: 'object',
        required: ['equipment_code', 'applied_qty'],
        properties: { equipment_code: { type: 'string' }, applied_qty: { type: 'number' } },
      },
    },
  },
});

/** An answer of one of the addon's routes. A business error is passed on as its message, for the caller to explain. */
export function readAddon(read: Read): Read<AddonResult> {
  if (read.concluded) return read;
  if (!isAddonResult(read.result)) {
    return { concluded: concluded('unavailable', 'JSON, but not an answer of the SCADA addon') };
  }
  return { result: read.result };
}

/** A login: success, or why not. The cookie is the transport's affair. */
export function readLogin(read: Read): Concluded {
  if (read.concluded) return read.concluded;
  const result = read.result as { status?: string; message?: string; uid?: number | false | null } | null;
  // /web/session/authenticate answers with a uid (exchange 310), the addon with a status (exchange 009).
  if (result?.status === 'success' || (result?.status === undefined && typeof result?.uid === 'number')) {
    return concluded('confirmed');
  }
  return concluded('credentials', `Odoo refused the login: ${inOneLine(result?.message ?? 'no user id')}`);
}

/** Every refusal of Odoo's access rights names the model in brackets, whatever the user's language (exchanges 006, 074). */
const MODEL_IN_BRACKETS = /\([a-z][\w]*(\.\w+)+\)/;

/** The addon's own fixed English sentences, which Odoo does not translate (exchanges 067, 105, 121, 154-157, 214-224). */
const UNKNOWN_ORDER = /^(Validation failed: )?(MO not found: |Manufacturing Order ".*" not found)/;
const IN_STATE = /^Cannot \w+ MO ".*" in state "(\w+)"/;
const NO_MOVE = /^No finished product move found/;
const OWN_REFUSALS =
  /^(Validation failed: |(\w+|login and password) (is|are) required$|finished_qty must be |Finished quantity must be )/;

/**
 * The addon's business errors: its own sentences are known; whatever else it passes on may be translated, and may be
 * trouble that passes. What a state can tell is read from the order instead.
 */
export function explainError(message: string): Concluded {
  const said = inOneLine(message);
  if (UNKNOWN_ORDER.test(said)) return concluded('unknown-order', said);
  const state = IN_STATE.exec(said)?.[1];
  if (state === 'done') return concluded('order-done', said);
  if (state === 'cancel') return concluded('order-cancelled', said);
  if (NO_MOVE.test(said)) return concluded('not-done', said);
  if (state !== undefined || OWN_REFUSALS.test(said)) return concluded('bad-value', said);
  const trouble = passing(said);
  if (trouble) return trouble;
  if (MODEL_IN_BRACKETS.test(shortened(message, LONGEST_REASON))) return concluded('not-permitted', said);
  return concluded('unexplained', said);
}

/**
 * The answer to an update: confirmed only if it names no error and echoes every code, and the finished quantity, as sent.
 * @param sent kg by equipment code
 * @param quantity kg of finished goods, when it was sent
 */
export function readUpdate(answer: Read, sent: Readonly<Record<string, number>>, quantity?: number): Concluded {
  const read = readAddon(answer);
  if (read.concluded) return read.concluded;
  const { status, message = '', consumed_items = [], updated_finished_qty } = read.result;
  if (status !== 'success') return explainError(message);
  const { errors: allErrors = [] } = read.result;
  const errors = allErrors.slice(0, MOST_ERRORS);
  const taken = new Map(consumed_items.map(({ equipment_code, applied_qty }) => [equipment_code, applied_qty]));
  const missed = Object.entries(sent).flatMap(([code, kg]) => unlike(code, kg, taken.get(code)));
  if (quantity !== undefined) missed.push(...unlike('finished quantity', quantity, updated_finished_qty));
  // Errors name what was refused; a silo that is neither named there nor echoed has to be told too.
  const told = missed.filter(({ what }) => !errors.some((error) => error.startsWith(`${what}:`))).map(inWords);
  const trouble = errors.map((error) => passing(inOneLine(error))).find(Boolean);
  if (trouble) return trouble;
  const problems = [...errors.map((error) => shortened(error, LONGEST_LINE)), ...told];
  return problems.length > 0 ? concluded('partial', problems.join('; ')) : concluded('confirmed');
}

/** A figure that was not taken as it was sent. */
interface Missed {
  what: string;
  /** kg that were sent, and that were taken. */
  kg: number;
  applied: number | undefined;
}

const unlike = (what: string, kg: number, applied: number | undefined): Missed[] =>
  applied !== undefined && sameForOdoo(applied, kg) ? [] : [{ what, kg, applied }];

const inWords = ({ what, kg, applied }: Missed): string =>
  applied === undefined ? `${what}: ${kg} kg not taken` : `${what}: ${applied} kg taken instead of ${kg} kg`;
