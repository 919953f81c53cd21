/** The HTTP side of the simulated Odoo: listening, latency, faults and the log of calls. */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { badGateway, internalError, readBody } from './http';
import type { HttpAnswer, HttpRequest } from './http';
import { CallLog } from './calls';
import { Faults } from './faults';
import { isObject } from './python';

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

/** What a request is about: an order's name, whether it changes one, a model's method ('': none). */
export interface Target {
  name: string | null;
  user: string | null;
  writes: boolean;
  method: string;
  closes: boolean;
}

/** A call under way: what it comes to once its time has passed. */
export interface Running {
  /** Another one has overtaken it: Odoo repeats it, which takes its time once more. */
  overtaken(): boolean;
  finish(): HttpAnswer;
  repeat(): HttpAnswer;
}

/** What answers behind the server: the addon's Odoo or a standard one. Every answer is committed when it returns. */
export interface Application {
  target(request: HttpRequest): Target;
  /** Milliseconds that a call takes; undefined: the server's own setting. */
  latency?(request: HttpRequest): number | undefined;
  /** Looks at what the call finds before its time passes. */
  begin(request: HttpRequest): Running;
  answer(request: HttpRequest): HttpAnswer;
  /** The answer of a closing that has lost the flags that it was called with. */
  contextLost(request: HttpRequest): HttpAnswer;
  rolledBack(request: HttpRequest, why: 'aborted' | 'serialization'): HttpAnswer;
  databaseDown(request: HttpRequest): HttpAnswer;
  /** The answer of a call that was done, of which nothing is kept. */
  forgotten(request: HttpRequest): HttpAnswer;
  endSession(request: HttpRequest): void;
}

export class OdooServer {
  readonly log = new CallLog();
  readonly faults = new Faults();
  private readonly server: Server;
  private readonly timers = new Set<NodeJS.Timeout>();
  private readonly host: string;
  private bound: number;

  constructor(
    private readonly application: Application,
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
      authorization: req.headers.authorization,
      database: req.headers['x-odoo-database']?.toString(),
      body: Buffer.concat(chunks).toString('utf8'),
      address: req.socket.remoteAddress ?? '',
    };
    const steered = this.steering(request);
    if (!steered) return this.call(request, res);
    if (steered.then) res.once('close', steered.then);
    this.send(res, steered.answer);
  }

  private call(request: HttpRequest, res: ServerResponse): void {
    const { application } = this;
    const target = application.target(request);
    const { name, user, writes } = target;
    const entry = { at: Date.now(), route: request.path, mo_id: name, user, takes: this.takes(request, target) };
    const { call, end } = this.log.begin(entry, writes);
    res.once('close', end);
    const reply = (made: HttpAnswer): void => {
      call.outcome = outcomeOf(made);
      this.send(res, made);
    };
    const cut = (): void => void res.socket?.destroy();
    const fault = this.faults.take(request.path, target.method, writes);
    switch (fault?.kind) {
      case undefined:
        return this.work(request, target, reply);
      case 'delay':
        return this.after(fault.ms, () => this.work(request, target, reply));
      case 'expireSession':
        application.endSession(request);
        return this.work(request, target, reply);
      case 'http500':
        return reply(internalError());
      case 'html502':
        return reply(badGateway());
      case 'serverError200':
        return reply(application.rolledBack(request, 'aborted'));
      case 'serialization':
        return reply(application.rolledBack(request, 'serialization'));
      case 'contextLost':
        return reply(application.contextLost(request));
      case 'databaseDown':
        return reply(application.databaseDown(request));
      case 'forgets':
        return reply(application.forgotten(request));
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
          call.outcome = `cut, late ${outcomeOf(this.told(() => application.answer(request)))}`;
        });
    }
  }

  private takes(request: HttpRequest, { closes }: Target): number {
    const { latencyMs = 0, closingMs = latencyMs } = this.options;
    return this.application.latency?.(request) ?? (closes ? closingMs : latencyMs);
  }

  /** Takes the call's time and then answers, whether the client still waits or not (exchange 249). */
  private work(request: HttpRequest, target: Target, reply: (made: HttpAnswer) => void): void {
    const running = this.application.begin(request);
    const ms = this.takes(request, target);
    const late = (work: () => void): void => (ms ? this.after(ms, work) : work());
    late(() => {
      if (!running.overtaken()) return reply(this.told(() => running.finish()));
      late(() => reply(this.told(() => running.repeat())));
    });
  }

  /** The answer; a mistake of the simulator itself is told to the caller as one, so that nobody takes it for Odoo's. */
  private told(answer: () => HttpAnswer): HttpAnswer {
    try {
      return answer();
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
