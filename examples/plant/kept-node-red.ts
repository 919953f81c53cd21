/** The demo's Node-RED: it may be killed, and started again where it was: user directory, flows and port are kept. */
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startNodeRed, type HostOptions, type NodeRedHost } from './node-red-host';

export class KeptNodeRed {
  #killed = false;
  #ended: () => void = () => undefined;
  /** Resolves when it has ended by itself. */
  readonly ended = new Promise<void>((resolve) => (this.#ended = resolve));

  private constructor(
    private readonly options: HostOptions,
    public host: NodeRedHost,
  ) {
    this.#watch();
  }

  /** @throws Error with its log when it does not start */
  static async start(options: Omit<HostOptions, 'userDir'>): Promise<KeptNodeRed> {
    const userDir = await mkdtemp(join(tmpdir(), 'mo-bridge-'));
    await chmod(userDir, 0o755);
    try {
      const kept = { ...options, userDir };
      return new KeptNodeRed(kept, await startNodeRed(kept));
    } catch (error) {
      await rm(userDir, { recursive: true, force: true });
      throw error;
    }
  }

  get up(): boolean {
    return !this.#killed;
  }

  /** As a power cut would: nothing can be finished or saved. */
  async kill(): Promise<void> {
    if (this.#killed) return;
    this.#killed = true;
    const gone = once(this.host.child, 'exit');
    this.host.child.kill('SIGKILL');
    await gone;
  }

  /** With the flows as they were deployed last. */
  async startAgain(): Promise<void> {
    if (!this.#killed) return;
    const port = Number(new URL(this.host.url).port);
    this.host = await startNodeRed({ ...this.options, port, asLeft: true });
    this.#killed = false;
    this.#watch();
  }

  async stop(): Promise<void> {
    this.#killed = true;
    await this.host.stop();
    await rm(this.host.userDir, { recursive: true, force: true });
  }

  #watch(): void {
    const { child } = this.host;
    child.once('exit', () => {
      if (!this.#killed && child === this.host.child) this.#ended();
    });
  }
}
