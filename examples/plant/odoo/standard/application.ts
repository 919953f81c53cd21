/** The standard Odoo as the server runs it: what a call is about, how long it takes, and what becomes of calls that meet. */
import { readBody } from '../http';
import type { HttpAnswer, HttpRequest } from '../http';
import { isObject, parseJson } from '../python';
import { OdooError } from '../records';
import type { Application, Target } from '../server';
import { sidOf } from '../sessions';
import { callIn } from './answer';
import type { Answers, Backend } from './answer';
import { ordersWritten } from './rpc';
import type { ModelCall } from './rpc';

/** Of calls by move that meet on other orders, every so many-th fails on 17 and 18 (1 to 3 of 24 measured). */
const FAILS_EVERY = 8;

const CONFLICT = new OdooError(
  'could not serialize access due to concurrent update\n',
  'psycopg2.errors.SerializationFailure',
);
const ABORTED = new OdooError(
  'current transaction is aborted, commands ignored until end of transaction block\n',
  'psycopg2.errors.InFailedSqlTransaction',
);

/** Whether a write's figures stand on lines: then it reserves nothing anew. */
function byLine({ args, kwargs }: ModelCall): boolean {
  return JSON.stringify(args[1] ?? kwargs.vals ?? {}).includes('"move_line_ids"');
}

/** The same request without the context that it was called with. */
function withoutContext(request: HttpRequest): HttpRequest {
  const strip = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(strip);
    if (!isObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).flatMap(([key, item]) => (key === 'context' ? [] : [[key, strip(item)]])),
    );
  };
  return { ...request, body: JSON.stringify(strip(parseJson(request.body))) };
}

/** The measured time of a call, ms. */
function measured({ book }: Backend, request: HttpRequest): number {
  const { generation } = book;
  const call = callIn(request.path, readBody(request.body));
  if (!call) return /"(login|authenticate)"/.test(request.body) ? generation.msLogin : generation.msRead;
  const { model, method } = call;
  if (method === 'button_mark_done') return generation.msDone;
  if (method === 'write') return byLine(call) ? generation.msPushByLine : generation.msPush;
  if (model === 'stock.move') return generation.msMoves;
  return model === 'mrp.production' && method === 'search_read' ? generation.msList : generation.msRead;
}

export interface Timing {
  /** Calls take the measured time, times this. */
  measured?: number;
}

export function standardApplication(backend: Backend, answers: Answers, timing: Timing): Application {
  const { book, access } = backend;
  /** Orders that calls by move are writing just now. */
  const writing = new Map<object, readonly number[]>();
  let met = 0;
  const callOf = (request: HttpRequest): ModelCall | undefined => callIn(request.path, readBody(request.body));
  const answered = (request: HttpRequest): HttpAnswer => answers.answer(request);

  const target = (request: HttpRequest): Target => {
    const call = callOf(request);
    const written = call ? ordersWritten(call, book) : [];
    const method = call?.method ?? '';
    const user = access.session(sidOf(request.cookie))?.login ?? null;
    return {
      name: written[0]?.name ?? null,
      user,
      writes: written.length > 0,
      method,
      closes: method === 'button_mark_done',
    };
  };

  /** Whether a call meets one that writes other orders, where that can end in a conflict. */
  const meets = (call: ModelCall, ids: readonly number[]): boolean => {
    if (book.generation.aboveReservation !== 'parent' || call.method !== 'write' || byLine(call)) return false;
    return [...writing.values()].some((others) => others.some((id) => !ids.includes(id)));
  };

  return {
    target,
    latency: (request) => (timing.measured === undefined ? undefined : measured(backend, request) * timing.measured),
    answer: answered,
    contextLost: (request) => answered(withoutContext(request)),
    rolledBack: (request, why) => answers.failed(request, why === 'aborted' ? ABORTED : CONFLICT),
    databaseDown: (request) => answers.databaseDown(request),
    forgotten: (request) => book.forgetting(() => answered(request)),
    endSession: (request) => access.end(sidOf(request.cookie)),
    begin: (request) => {
      const call = callOf(request);
      const ids = call ? ordersWritten(call, book).map(({ id }) => id) : [];
      const fails = call !== undefined && meets(call, ids) && ++met % FAILS_EVERY === 0;
      const key = {};
      if (call?.method === 'write' && !byLine(call)) writing.set(key, ids);
      const finish = (): HttpAnswer => {
        writing.delete(key);
        return fails ? answers.failed(request, CONFLICT) : answered(request);
      };
      return { overtaken: () => false, finish, repeat: finish };
    },
  };
}
