/**
 * Reads Odoo's answers, in one order everywhere: transport, JSON, error, status, errors[], every code that was sent.
 * HTTP 200 is not success here, and neither is a "success" that can be checked.
 */
import { type Concluded, concluded, LONGEST_REASON, shortened } from '../domain/conclusion';
import { matches } from '../domain/schema';
import { sameForOdoo } from '../domain/weight';

/** What came back over the wire, that nothing did, or that the call was not made because there is no session to make it in. */
export type Answer =
  | { kind: 'answer'; status: number; body: string; /** Where a redirect leads. */ location?: string }
  | { kind: 'none'; sent: boolean; problem: string }
  | { kind: 'not-made'; concluded: Concluded };

/** The `result` of an envelope, or what its absence means. */
export type Read<T = unknown> = { result: T; concluded?: never } | { result?: never; concluded: Concluded };

/** So many of Odoo's errors[] are looked at: one for every silo, and as many that nobody asked for. */
const MOST_ERRORS = 50;
/** One line of them, or of an exception (characters). */
const LONGEST_LINE = 300;

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

/** All of what was said, in one line: the product's name often stands on the second. */
const inOneLine = (text: string): string =>
  shortened(
    shortened(text, LONGEST_REASON)
      .replace(/\s*\n\s*/g, ' ')
      .trim(),
    LONGEST_LINE,
  );

/** Who called, who watches the session and who reads the result all ask: a body is parsed once. */
const reads = new WeakMap<Answer, Read>();

/** Transport and JSON-RPC envelope. @returns the `result`, or what it means that there is none. */
export function readEnvelope(answer: Answer): Read {
  const read = reads.get(answer) ?? parseEnvelope(answer);
  reads.set(answer, read);
  return read;
}

function parseEnvelope(answer: Answer): Read {
  if (answer.kind === 'not-made') return { concluded: { ...answer.concluded, unsent: true } };
  if (answer.kind === 'none') {
    return answer.sent
      ? {
          concluded: concluded(
            'unknown-outcome',
            `sent, but no answer came (${answer.problem}); the same is sent again`,
          ),
        }
      : {
          concluded: {
            ...concluded('unavailable', `Odoo is not reachable (${answer.problem}): check URL, network and server`),
            unsent: true,
          },
        };
  }
  const { status, body, location } = answer;
  if (status === 504)
    return {
      concluded: concluded('unknown-outcome', 'the proxy gave up waiting for Odoo (HTTP 504); the same is sent again'),
    };
  if (status >= 300 && status < 400) return { concluded: redirected(status, location) };
  const notFound = concluded('session', 'Odoo does not know the route (HTTP 404)');
  let envelope: unknown;
  try {
    envelope = JSON.parse(body);
  } catch {
    return { concluded: status === 404 && !isHtml(body) ? notFound : notJson(status, body) };
  }
  if (!isEnvelope(envelope)) {
    return {
      concluded: concluded(
        'unavailable',
        `HTTP ${status}: JSON, but not an answer of Odoo; check the URL and the proxy`,
      ),
    };
  }
  // A session without a database (exchanges 318, 324, 332).
  if (status === 404) return { concluded: notFound };
  if (envelope.error) return { concluded: readError(envelope.error) };
  if (status !== 200) return { concluded: concluded('unavailable', `HTTP ${status} from Odoo`) };
  return { result: envelope.result };
}

/** A web page: never an answer of Odoo's to what is asked here, whatever its status code. */
export const isHtml = (body: string): boolean => /^[\s\ufeff]*</.test(body);

/** Pages to which Odoo sends who has no session, or one without a database (exchange 036). */
const LOGIN_PAGES = /\/web\/(login|database\/selector)\/?$/;

/** A redirect that was not followed. */
function redirected(status: number, location = ''): Concluded {
  const path = location.split(/[?#]/, 1)[0] ?? '';
  if (LOGIN_PAGES.test(path)) return concluded('session', 'Odoo sent us to its login page');
  const where = path ? `to ${path}` : 'elsewhere';
  return concluded(
    'unavailable',
    `the address redirects ${where} (HTTP ${status}): enter the one where Odoo is in odoo-server`,
  );
}

/** HTML where JSON is due is an outage, not an answer (exchanges 140, 330); an answer that broke off tells nothing. */
function notJson(status: number, body: string): Concluded {
  if (status === 200 && /^\s*(\{|$)/.test(body)) {
    return concluded('unknown-outcome', 'the answer broke off; the same is sent again');
  }
  if (status === 400 || status === 405)
    return concluded('bad-request', `Odoo refused the request itself (HTTP ${status})`);
  return concluded(
    'unavailable',
    `HTTP ${status} ${isHtml(body) ? 'with a web page' : 'without JSON'}: a proxy or a broken Odoo answered; check the address`,
  );
}

/** Odoo's own words to a person about what was asked: no repeat changes them. */
const REFUSALS = /^odoo\.exceptions\.(UserError|ValidationError|MissingError)$/;
/** Another transaction was in the way. */
const IN_THE_WAY =
  /^psycopg2\.(extensions\.(TransactionRollback|QueryCanceled)Error|errors\.(SerializationFailure|DeadlockDetected|LockNotAvailable|InFailedSqlTransaction|QueryCanceled|StatementCompletionUnknown))$/;
/**
 * The server's database is gone, full or on standby, or the server's machine is (exchange 253 aside, which names a database
 * that was never there).
 */
const MACHINE_TROUBLE =
  /^(psycopg2\.(OperationalError|InterfaceError|pool\.\w+|errors\.(AdminShutdown|CrashShutdown|CannotConnectNow|TooManyConnections|DiskFull|OutOfMemory|InsufficientResources|ReadOnlySqlTransaction|IoError|ConnectionFailure|ConnectionException|ConnectionDoesNotExist|IdleInTransactionSessionTimeout))|builtins\.(MemoryError|OSError|IOError|TimeoutError|Connection\w*Error|BrokenPipeError|BlockingIOError|InterruptedError)|socket\.\w+)$/;

/** JSON-RPC errors: 100 and 404 are the session's (exchanges 031-034, 318), 200 carries the server's exception by its name. */
function readError({ code, message, data }: NonNullable<Envelope['error']>): Concluded {
  const name = data?.name ?? '';
  const said = inOneLine(data?.message || message);
  if (code === 100 || /SessionExpired/.test(name)) return concluded('session', 'the session has expired');
  if (code === 404) return concluded('session', 'Odoo does not know the route (404)');
  if (/AccessDenied$/.test(name)) return concluded('credentials', `Odoo refused user or password: ${said}`);
  if (/AccessError$/.test(name)) return concluded('not-permitted', said);
  if (REFUSALS.test(name)) return concluded('bad-value', said);
  if (IN_THE_WAY.test(name)) return concluded('busy', `Odoo rolled the call back: ${said}`);
  if (MACHINE_TROUBLE.test(name)) {
    return /database ".*" does not exist/.test(said)
      ? concluded('credentials', said)
      : concluded('unavailable', `Odoo's server is in trouble: ${said}`);
  }
  return passing(said) ?? concluded('unexplained', `Odoo failed: ${said}`);
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
  return concluded('credentials', `Odoo refused the login: ${inOneLine(result?.message ?? 'no user id')}`);
}

/**
 * What passes, by the words of PostgreSQL, psycopg, Python and the system: they only choose how long to wait, and never set
 * anything aside, so that it does no harm when they come in another language.
 */
const PASSING = new RegExp(
  [
    'transaction is aborted|could not serialize|deadlock|could not obtain lock|lock not available|lock timeout',
    'canceling statement|(server closed the|terminating) connection|(cursor|connection) already closed|pool is full',
    'database system is|could not connect to server|connection to server .* failed|connection (refused|reset|timed out)',
    'too many (clients|connections)|remaining connection slots|too many open files|SSL (connection|SYSCALL)|broken pipe',
    'no space left|read-only (transaction|file system)|(out of|cannot allocate) (shared )?memory',
    'could not (extend|write|open|read|resize) (file|shared)|timed out',
  ].join('|'),
  'i',
);

const passing = (said: string): Concluded | undefined =>
  PASSING.test(said) ? concluded('busy', `Odoo's server was in trouble: ${said}`) : undefined;

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
export function readUpdate(answer: Answer, sent: Readonly<Record<string, number>>, quantity?: number): Concluded {
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
  const told = missed.filter((miss) => !errors.some((error) => error.startsWith(`${miss.split(':', 1)[0]}:`)));
  const trouble = errors.map((error) => passing(inOneLine(error))).find(Boolean);
  if (trouble) return trouble;
  const problems = [...errors.map((error) => shortened(error, LONGEST_LINE)), ...told];
  return problems.length > 0 ? concluded('partial', problems.join('; ')) : concluded('confirmed');
}

const unlike = (what: string, kg: number, applied: number | undefined): string[] => {
  if (applied === undefined) return [`${what}: ${kg} kg not taken`];
  return sameForOdoo(applied, kg) ? [] : [`${what}: ${applied} kg taken instead of ${kg} kg`];
};
