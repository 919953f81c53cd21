/** From one HTTP request to one HTTP answer: /jsonrpc, the web session's routes, and /json/2. Everything is synchronous. */
import { htmlPage, internalError, readBody } from '../http';
import type { HttpAnswer, HttpRequest } from '../http';
import { isObject, parseJson, str } from '../python';
import type { Params } from '../python';
import { OdooError } from '../records';
import { sidOf } from '../sessions';
import type { Access, User } from './access';
import type { OrderBook } from './orders';
import { callModel } from './rpc';
import type { ModelCall } from './rpc';

export interface Backend {
  book: OrderBook;
  access: Access;
  database: string;
  /** Several databases and no filter: routes that need one find none without a session or a header. */
  severalDatabases: boolean;
  url: () => string;
}

const notFoundPage = (): HttpAnswer =>
  htmlPage(
    404,
    'Not Found',
    'The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.',
  );

const dataOf = (name: string, message: string): Params => ({
  name,
  debug: '<traceback>',
  message,
  arguments: [message],
  context: {},
});

function modelCall(model: unknown, method: unknown, args: unknown, kwargs: unknown): ModelCall {
  return {
    model: str(model),
    method: str(method),
    args: Array.isArray(args) ? args : [],
    kwargs: isObject(kwargs) ? kwargs : {},
  };
}

/** /json/2 names every argument; `ids` come first where the method has any. */
function jsonCall(path: string, body: Params): ModelCall | undefined {
  const [, model, method] = /^\/json\/2\/([^/]+)\/([^/]+)$/.exec(path) ?? [];
  if (model === undefined) return undefined;
  const { ids, ...kwargs } = body;
  return modelCall(model, method, ids === undefined ? [] : [ids], kwargs);
}

/** The model call in a request, if it is one. */
export function callIn(path: string, body: Params | undefined): ModelCall | undefined {
  if (!body) return undefined;
  const json = jsonCall(path, body);
  if (json) return json;
  const params = isObject(body.params) ? body.params : {};
  if (path.startsWith('/web/dataset/call_kw'))
    return modelCall(params.model, params.method, params.args, params.kwargs);
  if (path !== '/jsonrpc' || params.service !== 'object' || !Array.isArray(params.args)) return undefined;
  const [, , , model, method, args, kwargs] = params.args as unknown[];
  return modelCall(model, method, args, kwargs);
}

function version({ generation }: OrderBook): Params {
  const serie = `${generation.version}.0`;
  const info = [generation.version, 0, 0, 'final', 0, ''];
  return {
    server_version: generation.serverVersion,
    server_version_info: info,
    server_serie: serie,
    protocol_version: 1,
  };
}

function jsonRpc({ access, book }: Backend, { address }: HttpRequest, params: Params): unknown {
  const args: unknown[] = Array.isArray(params.args) ? params.args : [];
  switch (`${str(params.service)}.${str(params.method)}`) {
    case 'common.version':
      return version(book);
    case 'common.login':
    case 'common.authenticate':
      return access.login(address, args[0], args[1], args[2]);
    case 'object.execute':
    case 'object.execute_kw': {
      const [db, uid, secret, model, method, positional, kwargs] = args;
      const user = access.execute(db, uid, secret);
      const call =
        params.method === 'execute'
          ? modelCall(model, method, args.slice(5), {})
          : modelCall(model, method, positional, kwargs);
      return callModel(call, book, user);
    }
    case 'db.list':
      throw new OdooError('Access Denied', 'odoo.exceptions.AccessDenied');
    default:
      throw new OdooError(`Method not found: ${str(params.method)}`, 'builtins.AttributeError');
  }
}

function sessionInfo({ book, database, url }: Backend, user: User, uid: number | null): Params {
  const { server_version, server_version_info } = version(book);
  const admin = user.role === 'admin';
  const context = { lang: user.lang ?? 'en_US', tz: false, uid: user.uid };
  return {
    uid,
    is_system: admin,
    is_admin: admin,
    user_context: context,
    db: database,
    server_version,
    server_version_info,
    name: user.login,
    username: user.login,
    'web.base.url': url(),
  };
}

export class Answers {
  constructor(private readonly backend: Backend) {}

  answer(request: HttpRequest): HttpAnswer {
    const body = readBody(request.body);
    if (request.path.startsWith('/json/2/') && this.backend.book.generation.json2) return this.json2(request, body);
    const route = this.route(request);
    if (!route) return this.notFound(request, body?.id);
    if (request.method !== 'POST')
      return htmlPage(405, 'Method Not Allowed', 'The method is not allowed for the requested URL.');
    if (!request.contentType.startsWith('application/json')) {
      const status = this.backend.book.generation.version === 19 ? 415 : 400;
      return htmlPage(
        status,
        status === 415 ? 'Unsupported Media Type' : 'Bad Request',
        'Request inferred type is compatible with http but the route is type=json.',
      );
    }
    if (!body) return this.malformed(request);
    const params = isObject(body.params) ? body.params : {};
    return this.envelope(request, body.id, () => route(params));
  }

  /** An error as this Odoo tells it. */
  failed(request: HttpRequest, error: OdooError): HttpAnswer {
    if (request.path.startsWith('/json/2/')) return this.bare(statusOf(error), dataOf(error.type, error.message));
    return this.envelope(request, readBody(request.body)?.id, () => {
      throw error;
    });
  }

  databaseDown(request: HttpRequest): HttpAnswer {
    if (request.path.startsWith('/web/')) return this.notFound(request, readBody(request.body)?.id);
    if (this.backend.book.generation.errorPages) return internalError();
    const text =
      'connection to server at "127.0.0.1", port 5432 failed: Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?\n';
    return this.failed(request, new OdooError(text, 'psycopg2.OperationalError'));
  }

  private route(request: HttpRequest): ((params: Params) => unknown) | undefined {
    const { backend } = this;
    const { access, book } = backend;
    const sid = sidOf(request.cookie);
    const user = access.session(sid);
    if (request.path === '/jsonrpc') return (params) => jsonRpc(backend, request, params);
    if (request.path === '/web/session/authenticate')
      return ({ db, login, password }) => {
        const opened = access.authenticate(request.address, db, login, password);
        return {
          info: sessionInfo(backend, opened.user, opened.sid === null ? null : opened.user.uid),
          sid: opened.sid,
        };
      };
    if (!user && backend.severalDatabases) return undefined;
    if (request.path === '/web/session/get_session_info')
      return () => sessionInfo(backend, this.own(user), this.own(user).uid);
    if (request.path.startsWith('/web/dataset/call_kw'))
      return ({ model, method, args, kwargs }) =>
        callModel(modelCall(model, method, args, kwargs), book, this.own(user));
    return undefined;
  }

  private notFound({ contentType }: HttpRequest, id: unknown): HttpAnswer {
    const { unknownAddress, jsonType } = this.backend.book.generation;
    if (unknownAddress === 'page' || !contentType.startsWith('application/json')) return notFoundPage();
    const data = dataOf('werkzeug.exceptions.NotFound', '404 Not Found');
    const error = { code: 404, message: '404: Not Found', data, http_status: 404 };
    const body = JSON.stringify({ jsonrpc: '2.0', id: id ?? null, error });
    return { status: 404, headers: { 'Content-Type': jsonType }, body };
  }

  private own(user: User | undefined): User {
    if (user) return user;
    throw new OdooError('Session expired', 'odoo.http.SessionExpiredException');
  }

  private envelope({ path }: HttpRequest, id: unknown, work: () => unknown): HttpAnswer {
    const { generation } = this.backend.book;
    const headers: Record<string, string> = { 'Content-Type': generation.jsonType };
    const reply = (content: Params): HttpAnswer => ({
      status: 200,
      headers,
      body: JSON.stringify({ jsonrpc: '2.0', id: id ?? null, ...content }),
    });
    try {
      const result = work();
      if (path === '/web/session/authenticate' && isObject(result)) {
        if (typeof result.sid === 'string')
          headers['Set-Cookie'] = `session_id=${result.sid}; Max-Age=604800; HttpOnly; Path=/`;
        return reply({ result: result.info });
      }
      // What returns nothing answers without a result, and without an error.
      return reply(result === null || result === undefined ? {} : { result });
    } catch (error) {
      if (!(error instanceof OdooError)) throw error;
      if (generation.errorPages && this.backend.severalDatabases && path === '/jsonrpc') return internalError();
      const expired = error.type === 'odoo.http.SessionExpiredException';
      const code = expired ? 100 : generation.errorCode;
      const message = expired ? 'Odoo Session Expired' : 'Odoo Server Error';
      return reply({ error: { code, message, data: dataOf(error.type, error.message) } });
    }
  }

  private bare(status: number, value: unknown): HttpAnswer {
    return { status, headers: { 'Content-Type': this.backend.book.generation.jsonType }, body: JSON.stringify(value) };
  }

  private json2(request: HttpRequest, body: Params | undefined): HttpAnswer {
    const { access, book, database, severalDatabases } = this.backend;
    if (severalDatabases && request.database === undefined) return notFoundPage();
    if (request.database !== undefined && request.database !== database) return notFoundPage();
    const [, key] = /^bearer (.+)$/i.exec(request.authorization ?? '') ?? [];
    const user = key === undefined ? undefined : access.bearer(key);
    const why =
      key === undefined
        ? 'User not authenticated, use an API Key with a Bearer Authorization header.'
        : 'Invalid apikey';
    if (!user) return this.bare(401, dataOf('werkzeug.exceptions.Unauthorized', why));
    const call = body && jsonCall(request.path, body);
    if (!call) return this.malformed(request);
    try {
      return this.bare(200, callModel(call, book, user) ?? null);
    } catch (error) {
      if (!(error instanceof OdooError)) throw error;
      const unknown = UNKNOWN.test(error.message);
      const name = unknown ? 'werkzeug.exceptions.NotFound' : error.type;
      return this.bare(statusOf(error), dataOf(name, error.message));
    }
  }

  private malformed({ body }: HttpRequest): HttpAnswer {
    try {
      parseJson(body);
    } catch {
      return { status: 400, headers: { 'Content-Type': 'text/html; charset=utf-8' }, body: 'Invalid JSON data' };
    }
    return internalError();
  }
}

/** A model or a method that there is not. */
const UNKNOWN = /^(Object .* doesn't exist|The method .* does not exist)$/;

/** The HTTP code that /json/2 has for an error. */
function statusOf({ type, message }: OdooError): number {
  if (UNKNOWN.test(message)) return 404;
  const codes: Record<string, number> = {
    AccessDenied: 401,
    AccessError: 403,
    MissingError: 404,
    UserError: 422,
    ValidationError: 422,
  };
  return codes[type.split('.').at(-1) ?? ''] ?? 500;
}
