/**
 * Reads Odoo's answers, in one order everywhere: transport, JSON, error. HTTP 200 is not success here.
 */
import { type Concluded, concluded, LONGEST_REASON, shortened } from '../domain/conclusion';
import { OdooError } from '../domain/odoo-orders';
import { matches } from '../domain/schema';

/** What came back over the wire, or that nothing did. */
export type Answer =
  | { kind: 'answer'; status: number; body: string; /** Where a redirect leads. */ location?: string }
  | { kind: 'none'; sent: boolean; problem: string };

/** The `result` of an envelope, or what its absence means. */
export type Read<T = unknown> = { result: T; concluded?: never } | { result?: never; concluded: Concluded };

export const DONE: Concluded = { conclusion: 'confirmed', reason: '' };

/** A read that got no answer has changed nothing: it can simply be repeated. */
export const readOf = ({ conclusion, reason }: Concluded): Concluded =>
  concluded(conclusion === 'unknown-outcome' ? 'unavailable' : conclusion, reason);

/** @throws OdooError when what was read has another form than this package knows */
export function checked<T>(what: string, found: unknown, is: (value: unknown) => value is T): T {
  if (is(found)) return found;
  const unlike = 'the answer is not in the form this package knows: check the version of Odoo and the interface chosen';
  throw new OdooError(what, concluded('unavailable', unlike));
}

/** One line of what Odoo says (characters). */
export const LONGEST_LINE = 300;

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

const isBare = matches<object>({
  type: 'object',
  required: ['jsonrpc', 'id'],
  properties: { jsonrpc: { const: '2.0' } },
  maxProperties: 2,
});

/** All of what was said, in one line: the product's name often stands on the second. */
export const inOneLine = (text: string): string =>
  shortened(
    shortened(text, LONGEST_REASON)
      .replace(/\s*\n\s*/g, ' ')
      .trim(),
    LONGEST_LINE,
  );

/** Transport and JSON-RPC envelope. @returns the `result`, or what it means that there is none
 */
export function readEnvelope(answer: Answer, { withoutSession = false } = {}): Read {
  if (answer.kind === 'none') {
    return answer.sent
      ? {
          concluded: concluded('unknown-outcome', `sent, but no answer came (${answer.problem})`),
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
      concluded: concluded('unknown-outcome', 'the proxy gave up waiting for Odoo (HTTP 504)'),
    };
  if (status >= 300 && status < 400) return { concluded: redirected(status, location) };
  const notFound = concluded('session', 'Odoo does not know the route (HTTP 404)');
  let envelope: unknown;
  try {
    envelope = JSON.parse(body);
  } catch {
    return { concluded: status === 404 && !isHtml(body) ? notFound : notJson(status, body) };
  }
  // Methods that return nothing answer without both (odoo-standard 17, exchange 070).
  if (withoutSession && status === 200 && isBare(envelope)) return { result: null };
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
    return concluded('unknown-outcome', 'the answer broke off');
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
  return byName(name, said);
}

/** What an exception of the server means, by its name alone. @param said its words, for people */
export function byName(name: string, said: string): Concluded {
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

export const passing = (said: string): Concluded | undefined =>
  PASSING.test(said) ? concluded('busy', `Odoo's server was in trouble: ${said}`) : undefined;
