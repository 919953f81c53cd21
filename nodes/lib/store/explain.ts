/**
 * What went wrong between here and PostgreSQL, for a person: the cause first, then what to do. One wording for status, log and
 * dialog.
 */

/** A database that answers but cannot be used as it is; the message says what to do. */
export class DatabaseUnfit extends Error {
  readonly code: string;

  /** @param code SQLSTATE, or '' where no single statement failed */
  constructor(message: string, code = '') {
    super(message);
    this.code = code;
  }
}

/** What PostgreSQL (SQLSTATE in `code`, its source file in `file`), Node or node-postgres throws. */
interface Failure {
  message?: string;
  code?: unknown;
  file?: string;
  errors?: unknown[];
}

/** What node-postgres says when its own limit for an answer has passed (pg, lib/client.js). */
export const NO_ANSWER = 'Query read timeout';

export const POOLER =
  'set pool_mode = session for this database and user in PgBouncer, or connect to PostgreSQL itself';

/** Sources of PostgreSQL that reach for files: what they are not permitted is the file system's doing (EROFS, EACCES). */
const FILE_ACCESS = /^(md|fd|smgr|slru|xlog\w*|copydir|storage|bulk_write|relmapper)\.c$/;
const FILE_SYSTEM = "check the file system of the server's data directory (read-only, its rights)";

/** By SQLSTATE (PostgreSQL, appendix A) or Node's own code. */
const BY_CODE: [code: RegExp, advice: string][] = [
  [/^28P01/, 'check user and password'],
  [/^28/, 'check the user, and that a line of pg_hba.conf lets this machine in for this user, database and encryption'],
  [/^3D000/, 'create it on the server (CREATE DATABASE …), or check its name'],
  [/^3F000/, 'let the search_path of the role lead to a schema that exists'],
  [/^42501/, 'grant the user CREATE on the schema and all rights on its tables, or make it their owner'],
  [
    /^53300/,
    'end other connections, or raise the limit (max_connections of the server, CONNECTION LIMIT of role and database); ' +
      'MO Bridge needs 2 and uses up to 6',
  ],
  [/^53100/, "make room on the server's disk"],
  [/^53200/, 'give the server more memory'],
  [/^58|^XX00[12]/, FILE_SYSTEM],
  [/^57P03/, 'it goes on by itself when the server has started'],
  [/^25006/, 'let host and port lead to a server that takes writes'],
  [/^08P01/, POOLER],
  [/^ECONNREFUSED/, 'check the port, and that PostgreSQL listens on this address (listen_addresses)'],
  [/^(ENOTFOUND|EAI_AGAIN|ERR_INVALID_URL)/, 'check the name of the host'],
  [/^(EHOSTUNREACH|ENETUNREACH|ETIMEDOUT)/, 'check host, network and firewall'],
  [
    /CERT|SELF_SIGNED|UNABLE_TO_(VERIFY|GET)/,
    "the TLS config needs the CA that signed the server's certificate, and the host's name as it stands there",
  ],
  [/^(EPROTO|ERR_SSL)/, 'server and TLS config do not agree on a version or cipher'],
];

/** What comes without a usable code, or whose text says more than its code. */
const BY_TEXT: [text: RegExp, advice: string][] = [
  [
    /unsupported startup parameter/i,
    `a connection pooler refuses a parameter (PGOPTIONS in Node-RED's environment?): leave it out, and ${POOLER}`,
  ],
  [/does not support SSL/i, 'choose no TLS config here, or switch ssl on at the server'],
  [/no encryption|SSL off/i, 'choose a TLS config here, or let pg_hba.conf take connections without encryption'],
  [/max_client_conn|no more connections allowed/i, 'raise max_client_conn of the connection pooler'],
  [/client password must be a string|SASL: .*password/i, 'enter the password: the server asks for one'],
  [/timeout/i, 'check host, port and firewall'],
];

const failureOf = (error: unknown): Failure => {
  const failure = error as Failure;
  // Several addresses of one name fail together, with the reason in the parts only.
  return failure.errors?.[0] ? failureOf(failure.errors[0]) : failure;
};

const isFileSystem = ({ code, file = '' }: Failure): boolean => code === '42501' && FILE_ACCESS.test(file);

/** The cause, and after a colon what to do about it where that is known. */
export function explained(error: unknown): string {
  const failure = failureOf(error);
  const code = typeof failure.code === 'string' ? failure.code : '';
  const cause = failure.message || code || String(error);
  if (error instanceof DatabaseUnfit) return cause;
  const find = (list: [RegExp, string][], text: string): string | undefined =>
    list.find(([pattern]) => pattern.test(text))?.[1];
  const advice = isFileSystem(failure)
    ? FILE_SYSTEM
    : (find(BY_TEXT.slice(0, -1), cause) ?? find(BY_CODE, code) ?? find(BY_TEXT.slice(-1), cause));
  return advice ? `${cause}: ${advice}` : cause;
}

/**
 * SQLSTATE classes 08 (connection), 28 (login), 3D (no such database), 53 (resources), 57P (operator intervention), 58 (its
 * files), 25P03 and 25006 (a server that has become read-only), and Node's own network codes.
 */
const LOST = /^(08|28|3D|53|57P|58|25P03|25006)|^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EHOSTUNREACH|ENETUNREACH|EAI_AGAIN)/;
/** What node-postgres, its pool and pg-promise say without a code. */
const LOST_WORDS = new RegExp(
  `${NO_ANSWER}|Connection terminated|timeout exceeded when trying to connect|not queryable|connection pool.*destroyed|Cannot use a pool`,
  'i',
);

/** Whether the server is gone, or can no longer be written to. */
export const isLost = (error: unknown): boolean => {
  const failure = failureOf(error);
  const { code = '', message = '' } = failure;
  return LOST.test(String(code)) || LOST_WORDS.test(message) || isFileSystem(failure);
};
