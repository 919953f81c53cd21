/** The HTTP side of the simulated Odoo: listening, latency, faults and the log of calls. */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answer, badGateway, databaseDown, internalError, modelCallIn, readBody, rolledBack } from './answer';
import type { Backend, HttpAnswer, HttpRequest } from './answer';
import { CallLog } from './calls';
import { Faults } from './faults';
import { isObject } from './python';
import type { Order } from './records';
import { ordersWritten } from './rpc';
import { sidOf } from './sessions';

export interface ServerOptions {
  /** 0: a free port, kept over `stop` and `start`. */
  port?: number;
  host?: string;
  /** Milliseconds that each call of a route takes before it commits. */
  latencyMs?: number;
  /** The same of a call that closes an order; `latencyMs` without it. */
  closingMs?: number;
  /** Keep connections open, as a proxy in front of Odoo does; Odoo itself closes after each answer. */
  keepAlive?: boolean;
}

/** What steers the server from outside Odoo's routes: an answer, and what to do once it has left. */
export type Steering = (request: HttpRequest) => { answer: HttpAnswer; then?: () => void } | undefined;

/** Closes an order without a model call. */
const MARK_DONE = '/api/scada/mo/mark-done';
/** Routes whose calls write the order named in `mo_id`. */
const WRITING = /^\/api\/scada\/(mo\/|material-consumption$)/;

/** What a request is about: an order's name, the orders that it would write, a model's method ('': none). */
interface Target {
  name: string | null;
  written: Order[];
  method: string;
  closes: boolean;
}

export class OdooServer {
  readonly log = new CallLog();
  readonly faults = new Faults();
  private readonly server: Server;
  private readonly timers = new Set<NodeJS.Timeout>();
  private readonly host: string;
  private bound: number;

  constructor(
    private readonly backend: Backend,
    private readonly options: ServerOptions,
    private readonly steering: Steering,
  ) {
    this.host = options.host ?? '127.0.0.1';
    this.bound = options.port ?? 0;
    this.server = createServer((req, res) => void this.serve(req, res));
  }

  get port(): number {
    return this.bound;
  }

  get url(): string {
    return `http://${this.host}:${this.bound}`;
  }

  /** @throws Error (rejects) when the port is taken. */
  async start(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(this.bound, this.host, () => {
        this.server.off('error', reject);
        resolve();
      });
    });
    this.bound = (this.server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
    if (!this.server.listening) return;
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }

  /** Refuses connections for some milliseconds, then listens again. */
  async outage(ms: number): Promise<void> {
    await this.stop();
    this.after(ms, () => void this.start());
  }

  private after(ms: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      work();
    }, ms);
    this.timers.add(timer);
  }

  private async serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of req) chunks.push(chunk as Buffer);
    } catch {
      return; // the client went away before its request was complete: Odoo sees nothing of it either
    }
    const [path = ''] = (req.url ?? '').split('?');
    const request: HttpRequest = {
      method: req.method ?? '',
      path,
      contentType: req.headers['content-type'] ?? '',
      cookie: req.headers.cookie,
      body: Buffer.concat(chunks).toString('utf8'),
      address: req.socket.remoteAddress ?? '',
    };
    const steered = this.steering(request);
    if (!steered) return this.call(request, res);
    if (steered.then) res.once('close', steered.then);
    this.send(res, steered.answer);
  }

  /** The order that a request names, and the orders that it would write. */
  private target(request: HttpRequest): Target {
    const { book } = this.backend;
    const body = readBody(request.body);
    const model = modelCallIn(request.path, body);
    if (model) {
      const written = ordersWritten(model, book);
      return {
        name: written[0]?.name ?? null,
        written,
        method: model.method,
        closes: model.method === 'button_mark_done',
      };
    }
    const params = isObject(body?.params) ? body.params : (body ?? {});
    const user = this.backend.sessions.find(sidOf(request.cookie))?.user;
    const order = book.find(params.mo_id, user);
    const name = order?.name ?? (typeof params.mo_id === 'string' ? params.mo_id : null);
    const written = order && WRITING.test(request.path) ? [order] : [];
    return { name, written, method: '', closes: request.path === MARK_DONE };
  }

  private call(request: HttpRequest, res: ServerResponse): void {
    const target = this.target(request);
    const { name, written } = target;
    const user = this.backend.sessions.find(sidOf(request.cookie))?.user.login ?? null;
    const entry = { at: Date.now(), route: request.path, mo_id: name, user };
    const { call, end } = this.log.begin(entry, written.length > 0);
    res.once('close', end);
    const reply = (made: HttpAnswer): void => {
      call.outcome = outcomeOf(made);
      this.send(res, made);
    };
    const cut = (): void => void res.socket?.destroy();
    const fault = this.faults.take(request.path, target.method);
    switch (fault?.kind) {
      case undefined:
        return this.work(request, target, reply);
      case 'delay':
        return this.after(fault.ms, () => this.work(request, this.target(request), reply));
      case 'expireSession':
        this.backend.sessions.end(sidOf(request.cookie));
        return this.work(request, target, reply);
      case 'http500':
        return reply(internalError());
      case 'html502':
        return reply(badGateway());
      case 'serverError200':
        return reply(rolledBack(this.backend, request, 'aborted'));
      case 'serialization':
        return reply(rolledBack(this.backend, request, 'serialization'));
      case 'contextLost':
        return reply(this.backend.book.closings.withoutContext(() => this.answered(request)));
      case 'databaseDown':
        return reply(databaseDown(this.backend, request));
      case 'cutBefore':
        call.outcome = 'cut, not committed';
        return cut();
      case 'cutAfter':
        return this.work(request, target, (made) => {
          call.outcome = `cut after ${outcomeOf(made)}`;
          cut();
        });
      case 'hang':
        return this.work(request, target, (made) => {
          call.outcome = `no answer after ${outcomeOf(made)}`;
        });
      case 'commitLate':
        call.outcome = 'cut, not committed yet';
        cut();
        return this.after(fault.ms, () => {
          call.outcome = `cut, late ${outcomeOf(this.answered(request))}`;
        });
    }
  }

  /**
   * Takes the latency and then answers, whether the client still waits or not (exchange 249). When another call has
   * committed one of its orders meanwhile, this one is rolled back whole, as the recorded server does with some of
   * the parallel calls for one order. A closing that another one has overtaken is repeated.
   */
  private work(request: HttpRequest, { written, closes }: Target, reply: (made: HttpAnswer) => void): void {
    const { book } = this.backend;
    const versions = written.map((order) => [order.id, order.version] as const);
    const closing = closes ? book.closings.begin(written) : undefined;
    const ms = closes ? (this.options.closingMs ?? this.options.latencyMs) : this.options.latencyMs;
    const late = (work: () => void): void => (ms ? this.after(ms, work) : work());
    late(() => {
      const overtaken = versions.some(([id, version]) => book.find(id)?.version !== version);
      if (overtaken) return reply(rolledBack(this.backend, request, 'aborted'));
      if (!closing || !book.closings.overtaken(closing)) return reply(this.answered(request));
      late(() => {
        const made = book.closings.repeat(() => this.answered(request));
        reply(made ?? rolledBack(this.backend, request, 'serialization'));
      });
    });
  }

  /** The answer; a mistake of the simulator itself is told to the caller as one, so that nobody takes it for Odoo's. */
  private answered(request: HttpRequest): HttpAnswer {
    try {
      return answer(this.backend, request);
    } catch (error) {
      const body = `simulated Odoo, mistake of its own: ${error instanceof Error ? error.stack : String(error)}`;
      return { status: 500, headers: { 'Content-Type': 'text/plain; charset=utf-8' }, body };
    }
  }

  private send(res: ServerResponse, { status, headers, body }: HttpAnswer): void {
    const connection = this.options.keepAlive ? {} : { Connection: 'close' };
    res.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body), ...connection });
    res.end(body);
  }
}

/** What an answer says, in a word, for the log of calls. */
function outcomeOf({ status, body }: HttpAnswer): string {
  const { result, error } = readBody(body) ?? {};
  if (isObject(error)) return `error ${String(error.code)}`;
  if (status !== 200) return `http ${status}`;
  return isObject(result) && typeof result.status === 'string' ? result.status : 'result';
}
