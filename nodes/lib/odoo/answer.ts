/**
 * Reads Odoo's answers, in one order everywhere: transport, JSON, error, status, errors[], every code that was sent.
 * HTTP 200 is not success here, and neither is a "success" that can be checked.
 */
import type { Concluded, Conclusion } from '../domain/conclusion';
import { matches } from '../domain/schema';
import { sameForOdoo } from '../domain/weight';

/** What came back over the wire, that nothing did, or that the call was not made because there is no session to make it in. */
export type Answer =
  | { kind: 'answer'; status: number; body: string }
  | { kind: 'none'; sent: boolean; problem: string }
  | { kind: 'not-made'; concluded: Concluded };

/** The `result` of an envelope, or what its absence means. */
export type Read<T = unknown> = { result: T; concluded?: never } | { result?: never; concluded: Concluded };

export const concluded = (conclusion: Conclusion, reason = ''): Concluded => ({
  conclusion,
  // What a proxy sends in between may hold anything; PostgreSQL keeps neither a NUL nor half of a character that was cut.
  reason: reason.replace(/[\p{Cc}\p{Cs}]+/gu, ' '),
});

interface Envelope {
  result?: unknown;
  error?: { code: number; message: string; data?: { name?: string; message?: string } };
}

const isEnvelope = matches<Envelope>({
  type: 'object',
  properties: {
    error: {
      type: 'object',
      required: ['code', 'message'],
      properties: {
        code: { type: 'integer' },
        message: { type: 'string' },
        data: { type: 'object', properties: { name: { type: 'string' }, message: { type: 'string' } } },
      },
    },
  },
  anyOf: [{ required: ['result'] }, { required: ['error'] }],
});

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

const firstLine = (text: string): string => text.split('\n', 1)[0]?.slice(0, 300) ?? '';

/** Who called, who watches the session and who reads the result all ask: a body is parsed once. */
const reads = new WeakMap<Answer, Read>();

/** Transport and JSON-RPC envelope. @returns the `result`, or what it means that there is none. */
export function readEnvelope(answer: Answer): Read {
  const read = reads.get(answer) ?? parseEnvelope(answer);
  reads.set(answer, read);
  return read;
}

function parseEnvelope(answer: Answer): Read {
  if (answer.kind === 'not-made') return { concluded: answer.concluded };
  if (answer.kind === 'none') {
    return answer.sent
      ? {
          concluded: concluded(
            'unknown-outcome',
            `sent, but no answer came (${answer.problem}); the same is sent again`,
          ),
        }
      : {
          concluded: concluded(
            'unavailable',
            `Odoo is not reachable (${answer.problem}): check URL, network and server`,
          ),
        };
  }
  const { status, body } = answer;
  // 404 and the redirect to the login page mean a session without a database (exchanges 036, 318, 324, 332).
  if (status === 302 || status === 303) return { concluded: concluded('session', 'Odoo sent us to its login page') };
  if (status === 404) return { concluded: concluded('session', 'Odoo does not know the route (HTTP 404)') };
  if (status === 504)
    return {
      concluded: concluded('unknown-outcome', 'the proxy gave up waiting for Odoo (HTTP 504); the same is sent again'),
    };
  let envelope: unknown;
  try {
    envelope = JSON.parse(body);
  } catch {
    return { concluded: notJson(status, body) };
  }
  if (!isEnvelope(envelope)) {
    return {
      concluded: concluded(
        'unavailable',
        `HTTP ${status}: JSON, but not an answer of Odoo; check the URL and the proxy`,
      ),
    };
  }
  if (envelope.error) return { concluded: readError(envelope.error) };
  if (status !== 200) return { concluded: concluded('unavailable', `HTTP ${status} from Odoo`) };
  return { result: envelope.result };
}

/** HTML where JSON is due is an outage, not an answer (exchanges 140, 330); an answer that broke off tells nothing. */
function notJson(status: number, body: string): Concluded {
  if (status === 200 && /^\s*(\{|$)/.test(body)) {
    return concluded('unknown-outcome', 'the answer broke off; the same is sent again');
  }
  if (status === 400 || status === 405)
    return concluded('bad-request', `Odoo refused the request itself (HTTP ${status})`);
  if (status >= 300 && status < 400) {
    return concluded(
      'unavailable',
      `the address redirects elsewhere (HTTP ${status}): enter the one it leads to in odoo-server`,
    );
  }
  return concluded('unavailable', `HTTP ${status} without JSON: a proxy or a broken Odoo answered`);
}

/** Python's and Odoo's exceptions about what was asked: no repeat changes them. */
const VALUE_ERRORS =
  /^(builtins\.\w+|odoo\.exceptions\.\w+|psycopg2\.errors\.\w*(Violation|OutOfRange|InvalidTextRepresentation))$/;
/** The server's database is gone (exchange 253 aside, which names a database that was never there). */
const DATABASE_GONE =
  /^psycopg2\.(OperationalError|InterfaceError|pool\.\w+|errors\.(AdminShutdown|CannotConnectNow|TooManyConnections))$/;

/** JSON-RPC errors: 100 and 404 are the session's (exchanges 031-034, 318), 200 carries the server's exception. */
function readError({ code, message, data }: NonNullable<Envelope['error']>): Concluded {
  const name = data?.name ?? '';
  const said = firstLine(data?.message || message);
  if (code === 100 || /SessionExpired/.test(name)) return concluded('session', 'the session has expired');
  if (code === 404) return concluded('session', 'Odoo does not know the route (404)');
  if (/AccessDenied$/.test(name)) return concluded('credentials', `Odoo refused user or password: ${said}`);
  if (/AccessError$/.test(name)) return concluded('not-permitted', said);
  if (DATABASE_GONE.test(name)) {
    return /does not exist/.test(said)
      ? concluded('credentials', said)
      : concluded('unavailable', `Odoo has no database: ${said}`);
  }
  if (VALUE_ERRORS.test(name)) return concluded('bad-value', said);
  return concluded('busy', `Odoo rolled the call back: ${said}`);
}

/** An answer of one of the addon's routes. A business error is passed on as its message, for the caller to explain. */
export function readAddon(answer: Answer): Read<AddonResult> {
  const read = readEnvelope(answer);
  if (read.concluded) return read;
  if (!isAddonResult(read.result)) {
    return { concluded: concluded('unavailable', 'JSON, but not an answer of the SCADA addon') };
  }
  return { result: read.result };
}

/** A login: success, or why not. The cookie is the transport's affair. */
export function readLogin(answer: Answer): Concluded {
  const read = readEnvelope(answer);
  if (read.concluded) return read.concluded;
  const result = read.result as { status?: string; message?: string; uid?: number | false | null } | null;
  // /web/session/authenticate answers with a uid (exchange 310), the addon with a status (exchange 009).
  if (result?.status === 'success' || (result?.status === undefined && typeof result?.uid === 'number')) {
    return concluded('confirmed');
  }
  return concluded('credentials', `Odoo refused the login: ${firstLine(result?.message ?? 'no user id')}`);
}

/** PostgreSQL's and psycopg's words for what passes: another transaction, or a database that goes or comes. */
const DATABASE_TROUBLE =
  /transaction is aborted|could not serialize|deadlock|lock not available|lock timeout|canceling statement|(server closed the|terminating) connection|(cursor|connection) already closed|database system is (starting|shutting)|could not connect to server|too many clients/i;

/** Every refusal of Odoo's access rights names the model in brackets, whatever the user's language (exchanges 006, 074). */
const MODEL_IN_BRACKETS = /\([a-z][\w]*(\.\w+)+\)/;

/**
 * The addon's business errors, by its own fixed English words (its texts are not translated). What a state can tell is
 * read from the order instead; this is for what no state tells.
 */
export function explainError(message: string): Concluded {
  const said = firstLine(message);
  if (/not found/i.test(said) && /(Manufacturing Order|\bMO\b)/i.test(said)) return concluded('unknown-order', said);
  const state = /in state "(\w+)"/.exec(said)?.[1];
  if (state === 'done') return concluded('order-done', said);
  if (state === 'cancel') return concluded('order-cancelled', said);
  if (MODEL_IN_BRACKETS.test(message) || /not allowed to|access (denied|error)/i.test(said))
    return concluded('not-permitted', said);
  if (/quantity to produce must be positive|No finished product move/i.test(said)) return concluded('not-done', said);
  if (DATABASE_TROUBLE.test(said)) return concluded('busy', said);
  return concluded('bad-value', said);
}

/**
 * The answer to an update: confirmed only if it names no error and echoes every code, and the finished quantity, as sent.
 * @param sent kg by equipment code
 * @param quantity kg of finished goods, when it was sent
 */
export function readUpdate(answer: Answer, sent: Readonly<Record<string, number>>, quantity?: number): Concluded {
  const read = readAddon(answer);
  if (read.concluded) return read.concluded;
  const { status, message = '', errors = [], consumed_items = [], updated_finished_qty } = read.result;
  if (status !== 'success') return explainError(message);
  const taken = new Map(consumed_items.map(({ equipment_code, applied_qty }) => [equipment_code, applied_qty]));
  const missed = Object.entries(sent).flatMap(([code, kg]) => unlike(code, kg, taken.get(code)));
  if (quantity !== undefined) missed.push(...unlike('finished quantity', quantity, updated_finished_qty));
  // Errors name what was refused; a silo that is neither named there nor echoed has to be told too.
  const told = missed.filter((miss) => !errors.some((error) => error.startsWith(`${miss.split(':', 1)[0]}:`)));
  const problems = [...errors, ...told];
  return problems.length > 0 ? concluded('partial', problems.join('; ')) : concluded('confirmed');
}

const unlike = (what: string, kg: number, applied: number | undefined): string[] => {
  if (applied === undefined) return [`${what}: ${kg} kg not taken`];
  return sameForOdoo(applied, kg) ? [] : [`${what}: ${applied} kg taken instead of ${kg} kg`];
};
