/**
 * Who waits for an HTTP answer gets one: from the flow behind a node, or, where a deploy has taken that flow away, from the
 * node itself.
 */
/** A message that may carry an HTTP request's response. */
type Asking = Readonly<Record<string, unknown>>;

/** What an Express response has that is needed here; Node-RED hands it over in a wrapper (`msg.res._res`). */
interface WaitingResponse {
  headersSent: boolean;
  writableFinished: boolean;
  status: (code: number) => { json: (body: unknown) => unknown };
  once: (event: 'finish' | 'close', listener: () => void) => unknown;
}

/** An answer of the manual API. */
export interface HttpAnswer {
  statusCode: number;
  payload: unknown;
}

/** How long the flow behind has to answer (ms): it may do more than pass it on; when it is being stopped, nothing more. */
const FLOW_MAY_TAKE = 5_000;
const STOPPING_MAY_TAKE = 250;
/** What is written has left this machine by then, or nobody reads it (ms). */
const WRITING_MAY_TAKE = 1_000;

const isResponse = (value: unknown): value is WaitingResponse =>
  typeof value === 'object' &&
  value !== null &&
  'headersSent' in value &&
  typeof (value as { status?: unknown }).status === 'function';

/** The response that a message's HTTP request waits for; undefined: none does, or it is answered. */
export function waitingResponse({ res }: Asking): WaitingResponse | undefined {
  const wrapped = (res as { _res?: unknown } | null | undefined)?._res ?? res;
  return isResponse(wrapped) && !wrapped.headersSent ? wrapped : undefined;
}

export const isAnswer = (out: unknown): out is HttpAnswer =>
  typeof out === 'object' && out !== null && typeof (out as Partial<HttpAnswer>).statusCode === 'number';

/** Answers that went out into the flow, until they are with who asked. */
export class PendingAnswers {
  readonly #hurry = new Set<() => void>();
  readonly #open = new Set<Promise<void>>();
  #stopping = false;

  /** Gives the answer itself unless the flow behind gives one in time. */
  add(res: WaitingResponse, answer: HttpAnswer): void {
    const given = this.#wait(res).then(() => this.#give(res, answer));
    this.#open.add(given);
    void given.finally(() => this.#open.delete(given));
  }

  /** The flow is being stopped: resolves when everybody has an answer. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const hurry of this.#hurry) hurry();
    await Promise.all(this.#open);
  }

  #wait(res: WaitingResponse): Promise<void> {
    return new Promise((resolve) => {
      const over = (): void => {
        clearTimeout(timer);
        this.#hurry.delete(hurry);
        resolve();
      };
      let timer = setTimeout(over, this.#stopping ? STOPPING_MAY_TAKE : FLOW_MAY_TAKE);
      const hurry = (): void => {
        clearTimeout(timer);
        timer = setTimeout(over, STOPPING_MAY_TAKE);
      };
      this.#hurry.add(hurry);
      res.once('finish', over);
      res.once('close', over);
    });
  }

  /** Node-RED may exit right after its nodes have stopped: what was written has to be out by then. */
  async #give(res: WaitingResponse, { statusCode, payload }: HttpAnswer): Promise<void> {
    if (res.headersSent || res.writableFinished) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, WRITING_MAY_TAKE);
      const out = (): void => {
        clearTimeout(timer);
        resolve();
      };
      res.once('finish', out);
      res.once('close', out);
      res.status(statusCode).json(payload);
    });
  }
}
