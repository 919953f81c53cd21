/** The Odoo with the addon, as the server runs it: which orders a call is about, and what becomes of calls that meet. */
import { answer, databaseDown, modelCallIn, rolledBack } from './answer';
import type { Backend } from './answer';
import { readBody } from './http';
import type { HttpRequest } from './http';
import { isObject } from './python';
import type { Order } from './records';
import { ordersWritten } from './rpc';
import type { Application, Target } from './server';
import { sidOf } from './sessions';

/** Closes an order without a model call. */
const MARK_DONE = '/api/scada/mo/mark-done';
/** Routes whose calls write the order named in `mo_id`. */
const WRITING = /^\/api\/scada\/(mo\/|material-consumption$)/;

/** The order that a request names, and the orders that it would write. */
function found(backend: Backend, request: HttpRequest): Target & { written: Order[] } {
  const { book } = backend;
  const user = backend.sessions.find(sidOf(request.cookie))?.user;
  const about = { user: user?.login ?? null };
  const body = readBody(request.body);
  const model = modelCallIn(request.path, body);
  if (model) {
    const written = ordersWritten(model, book);
    const { method } = model;
    const closes = method === 'button_mark_done';
    return { ...about, name: written[0]?.name ?? null, written, writes: written.length > 0, method, closes };
  }
  const params = isObject(body?.params) ? body.params : (body ?? {});
  const order = book.find(params.mo_id, user);
  const name = order?.name ?? (typeof params.mo_id === 'string' ? params.mo_id : null);
  const written = order && WRITING.test(request.path) ? [order] : [];
  return { ...about, name, written, writes: written.length > 0, method: '', closes: request.path === MARK_DONE };
}

export function addonApplication(backend: Backend): Application {
  const { book, sessions } = backend;
  const answered = (request: HttpRequest) => answer(backend, request);
  return {
    target: (request) => found(backend, request),
    answer: answered,
    contextLost: (request) => book.closings.withoutContext(() => answered(request)),
    rolledBack: (request, why) => rolledBack(backend, request, why),
    databaseDown: (request) => databaseDown(backend, request),
    forgotten: (request) => {
      const before = found(backend, request).written.map((order) => structuredClone(order));
      const made = answered(request);
      for (const order of before) book.commit({ ...order, version: book.find(order.id)?.version ?? order.version });
      return made;
    },
    endSession: (request) => sessions.end(sidOf(request.cookie)),
    /**
     * When another call has committed one of its orders meanwhile, this one is rolled back whole, as the recorded server
     * does with some of the parallel calls for one order. A closing that another one has overtaken is repeated.
     */
    begin: (request) => {
      const { written, closes } = found(backend, request);
      const versions = written.map((order) => [order.id, order.version] as const);
      const closing = closes ? book.closings.begin(written) : undefined;
      const aborted = (): boolean => versions.some(([id, version]) => book.find(id)?.version !== version);
      return {
        overtaken: () => !aborted() && closing !== undefined && book.closings.overtaken(closing),
        finish: () => (aborted() ? rolledBack(backend, request, 'aborted') : answered(request)),
        repeat: () => book.closings.repeat(() => answered(request)) ?? rolledBack(backend, request, 'serialization'),
      };
    },
  };
}
