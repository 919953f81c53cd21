/** From one HTTP request to one HTTP answer: Odoo's routing, envelopes and error pages. Everything here is synchronous. */
import { SERVER_VERSION_INFO, sessionInfo } from './catalogue';
import type { OrderBook } from './orders';
import { HTML, htmlPage, internalError, readBody } from './http';
import type { HttpAnswer, HttpRequest } from './http';
import { isObject, parseJson, str } from './python';
import type { Params } from './python';
import { OdooError } from './records';
import { callModel } from './rpc';
import type { ModelCall } from './rpc';
import { SCADA_ROUTES, answerScada, publicAnswer } from './scada';
import { newSid, sidOf } from './sessions';
import type { Session, Sessions } from './sessions';

export interface Backend {
  book: OrderBook;
  sessions: Sessions;
  /** Several databases and no filter: the addon's routes exist only for a session that has a database. */
  multiDatabase: boolean;
  url: () => string;
  now: () => Date;
}

const badRequest = (text: string): HttpAnswer => htmlPage(400, 'Bad Request', text);

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (char) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[char] ?? char);

function methodNotAllowed(allow: string): HttpAnswer {
  return htmlPage(405, 'Method Not Allowed', 'The method is not allowed for the requested URL.', { Allow: allow });
}

function errorData(name: string, message: string, args: string[] = [message]): Params {
  return { name, debug: 'Traceback (most recent call last):\n', message, arguments: args, context: {} };
}

const serverError = (error: OdooError): Params => ({
  code: 200,
  message: 'Odoo Server Error',
  data: errorData(error.type, error.message),
});

const notFound = (): Params => ({
  code: 404,
  message: '404: Not Found',
  data: errorData(
    'werkzeug.exceptions.NotFound',
    '404 Not Found: The requested URL was not found on the server. If you entered the URL manually please check your spelling and try again.',
    [],
  ),
  http_status: 404,
});

const sessionExpired = (): Params => ({
  code: 100,
  message: 'Odoo Session Expired',
  data: errorData('odoo.http.SessionExpiredException', 'Session expired'),
});

/** What a JSON route answers: `result`, `error`, or neither; `sid` when the session changes. */
type Outcome = { result?: unknown; error?: Params; sid?: string };

type Auth = 'none' | 'user';
interface Route {
  method: 'GET' | 'POST';
  auth: Auth;
  /** The standard RPC route knows no session cookie. */
  cookieless?: true;
  run: (context: Context) => Outcome;
}

interface Context extends Backend {
  request: HttpRequest;
  session: Session | undefined;
  /** The whole JSON body, and its `params` ({} without). */
  body: Params;
  params: Params;
}

/** What the addon's writing routes take: `params` when there is one, else the whole body. */
const loose = ({ body, params }: Context): Params => ('params' in body ? params : body);

function scadaLogin(context: Context): Outcome {
  const { request, sessions } = context;
  const { db, login, password } = loose(context);
  const old = sidOf(request.cookie);
  if (!login || !password) return { result: { status: 'error', message: 'login and password are required' } };
  try {
    const session = sessions.open(sessions.check(request.address, db, login, password), str(db), old);
    // The id in the body is that of the request's own session, which never works (exchanges 043-045).
    const dead = old ?? newSid();
    const { uid } = session.user;
    return { result: { status: 'success', uid, session_id: dead, db, login }, sid: session.sid };
  } catch (error) {
    if (error instanceof OdooError) return { result: { status: 'error', message: error.message } };
    throw error;
  }
}

function webLogin({ request, sessions, params, url }: Context): Outcome {
  const { db, login, password } = params;
  const user = sessions.check(request.address, db, login, password);
  const session = sessions.open(user, str(db), sidOf(request.cookie));
  return { result: sessionInfo(user, session.db, url()), sid: session.sid };
}

function modelCall(params: Params): ModelCall {
  return {
    model: str(params.model),
    method: str(params.method),
    args: Array.isArray(params.args) ? params.args : [],
    kwargs: isObject(params.kwargs) ? params.kwargs : {},
  };
}

function jsonRpc(context: Context): Outcome {
  const { params, sessions, request, book } = context;
  const args: unknown[] = Array.isArray(params.args) ? params.args : [];
  const call = `${str(params.service)}.${str(params.method)}`;
  if (call === 'common.version') {
    const version = { server_version: '14.0', server_version_info: SERVER_VERSION_INFO };
    return { result: { ...version, server_serie: '14.0', protocol_version: 1 } };
  }
  if (call === 'common.login' || call === 'common.authenticate') {
    try {
      return { result: sessions.check(request.address, args[0], args[1], args[2]).uid };
    } catch (error) {
      if (error instanceof OdooError && error.type === 'odoo.exceptions.AccessDenied') return { result: false };
      throw error;
    }
  }
  if (call !== 'object.execute_kw') throw new OdooError(`Method not found: ${call}`, 'builtins.Exception');
  const [db, uid, password, model, method, positional, kwargs] = args;
  const user = sessions.checkUid(request.address, db, uid, password);
  return { result: callModel(modelCall({ model, method, args: positional, kwargs }), book, user) };
}

const asUser = (run: (context: Context & { session: Session }) => Outcome): Route => ({
  method: 'POST',
  auth: 'user',
  run: (context) => (context.session ? run({ ...context, session: context.session }) : { error: sessionExpired() }),
});

const ROUTES: Record<string, Route> = {
  '/api/scada/authenticate': { method: 'POST', auth: 'none', run: scadaLogin },
  '/web/session/authenticate': { method: 'POST', auth: 'none', run: webLogin },
  '/web/session/get_session_info': asUser(({ session, url }) => ({
    result: sessionInfo(session.user, session.db, url()),
  })),
  '/web/session/destroy': asUser(({ session, sessions }) => {
    sessions.end(session.sid);
    return { sid: newSid() };
  }),
  '/web/dataset/call_kw': asUser(({ params, book, session }) => ({
    result: callModel(modelCall(params), book, session.user),
  })),
  '/jsonrpc': { method: 'POST', auth: 'none', cookieless: true, run: jsonRpc },
};
for (const path of ['/api/scada/health', '/api/scada/version']) {
  const run = ({ session, now }: Context): Outcome => ({ result: publicAnswer(path, session?.user, now()) });
  ROUTES[path] = { method: 'GET', auth: 'none', run };
}
for (const [path, { reads, handle }] of Object.entries(SCADA_ROUTES)) {
  ROUTES[path] = asUser((context) => ({
    result: answerScada(handle, context.book, reads ? context.params : loose(context), context.session.user),
  }));
}

function routeOf(path: string): Route | undefined {
  return ROUTES[path.startsWith('/web/dataset/call_kw/') ? '/web/dataset/call_kw' : path];
}

/** The model call in a request's body, if it is one. */
export function modelCallIn(path: string, body: Params | undefined): ModelCall | undefined {
  const params = isObject(body?.params) ? body.params : {};
  if (path.startsWith('/web/dataset/call_kw')) return modelCall(params);
  if (path !== '/jsonrpc' || params.service !== 'object' || !Array.isArray(params.args)) return undefined;
  const [, , , model, method, args, kwargs] = params.args as unknown[];
  return modelCall({ model, method, args, kwargs });
}

/** Answers a JSON request with an envelope around what `work` gives; an OdooError becomes error.code 200. */
function envelope(
  backend: Backend,
  request: HttpRequest,
  id: unknown,
  cookieless: boolean,
  work: () => Outcome,
): HttpAnswer {
  let outcome: Outcome;
  try {
    outcome = work();
  } catch (error) {
    if (!(error instanceof OdooError)) throw error;
    outcome = { error: serverError(error) };
  }
  const { sid, ...content } = outcome;
  const shown = sid ?? backend.sessions.find(sidOf(request.cookie))?.sid ?? newSid();
  return {
    status: content.error?.code === 404 ? 404 : 200,
    headers: {
      'Content-Type': 'application/json',
      ...(!cookieless && { 'Set-Cookie': backend.sessions.cookie(shown) }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: id ?? null, ...content }),
  };
}

/** A request that is not JSON, to a route that takes JSON only (exchanges 002, 021, 036, 135). */
function notJson(backend: Backend, request: HttpRequest, route: Route, session: Session | undefined): HttpAnswer {
  if (route.method === 'GET') {
    return badRequest(
      `${escaped(request.path)}: Function declared as capable of handling request of type 'json' but called with a request of type 'http'`,
    );
  }
  if (route.auth === 'none' || session) return badRequest('Session expired (invalid CSRF token)');
  const target = `/web/login?redirect=${encodeURIComponent(`/web/proxy/post${request.path}?`)}`;
  return {
    status: 302,
    headers: {
      'Content-Type': HTML,
      Location: `${backend.url()}${target}`,
      'Set-Cookie': backend.sessions.cookie(newSid()),
    },
    body: `<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">\n<title>Redirecting...</title>\n<h1>Redirecting...</h1>\n<p>You should be redirected automatically to target URL: <a href="${target}">${target}</a>.  If not click the link.`,
  };
}

/** Answers one request. Everything it changes is committed when it returns. */
export function answer(backend: Backend, request: HttpRequest): HttpAnswer {
  const session = backend.sessions.find(sidOf(request.cookie));
  const json = request.contentType.startsWith('application/json');
  const hidden = backend.multiDatabase && !session && request.path.startsWith('/api/scada/');
  const route = hidden ? undefined : routeOf(request.path);
  if (!route && !json) {
    const headers = {
      'Content-Type': 'text/html;charset=utf-8',
      'Set-Cookie': backend.sessions.cookie(session?.sid ?? newSid()),
    };
    return {
      status: 404,
      headers,
      body: '<!DOCTYPE html>\n<html><head><title>Odoo</title></head><body>404</body></html>',
    };
  }
  if (route && request.method !== route.method) return methodNotAllowed(route.method === 'GET' ? 'HEAD, GET' : 'POST');
  if (route && !json) return notJson(backend, request, route, session);
  let body: unknown;
  try {
    body = parseJson(request.body);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return badRequest(`Invalid JSON data: '${escaped(request.body)}'`);
  }
  if (!isObject(body)) return internalError();
  const params = body.params === undefined ? {} : body.params;
  if (!isObject(params)) return internalError();
  const context: Context = { ...backend, request, session, body, params };
  const work = route ? () => route.run(context) : () => ({ error: notFound() });
  return envelope(backend, request, body.id, route?.cookieless ?? false, work);
}

const ROLLED_BACK = {
  aborted: {
    text: 'current transaction is aborted, commands ignored until end of transaction block\n',
    type: 'psycopg2.errors.InFailedSqlTransaction',
  },
  serialization: {
    text: 'could not serialize access due to concurrent update\n',
    type: 'psycopg2.errors.SerializationFailure',
  },
};

/** A call that was rolled back because another one wrote the same order, or the same stock records, at the same time. */
export function rolledBack(backend: Backend, request: HttpRequest, why: keyof typeof ROLLED_BACK): HttpAnswer {
  const { text, type } = ROLLED_BACK[why];
  return envelope(backend, request, readBody(request.body)?.id, false, () => {
    throw new OdooError(text, type);
  });
}

/** PostgreSQL is gone: a session is lost with 404, without one there is a page (exchanges 330, 332, 334). */
export function databaseDown(backend: Backend, request: HttpRequest): HttpAnswer {
  const sid = sidOf(request.cookie);
  if (!backend.sessions.find(sid)) return internalError();
  backend.sessions.end(sid);
  return envelope(backend, request, readBody(request.body)?.id, false, () => ({ error: notFound() }));
}
