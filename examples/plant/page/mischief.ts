/** What a person can pull at on the page "The plant": each is done to the plant or to a process, never to the package. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KeptNodeRed } from '../kept-node-red';
import type { Plant } from '../plant';
import type { MischiefCode } from './told';
import type { MillTrouble } from '../plc/troubles';

export interface Scene {
  plant: Plant;
  nodeRed: KeptNodeRed;
}

interface Mischief {
  /** Does it. @returns the orders that it befalls; those in the slots without it. @throws Error when it cannot be done now */
  pull(scene: Scene): Promise<void> | Deed['orders'] | void;
  /** Mends it; without it, it is over at once or by itself. */
  mend?(scene: Scene): Promise<void> | void;
}

/** The built-in database's own file with its process id, below Node-RED's user directory. */
const POSTMASTER = 'mo-bridge/postgresql/cluster/data/postmaster.pid';
/** How long another number stands over a completed batch (ms). */
const TYPED_OVER_MS = 15_000;

async function killDatabase({ nodeRed }: Scene): Promise<void> {
  const pid = Number.parseInt(await readFile(join(nodeRed.host.userDir, POSTMASTER), 'utf8'), 10);
  process.kill(pid, 'SIGKILL');
}

/** Cancels the order that is being weighed longest: the worst one to lose. */
function cancelOrder({ plant: { odoo, mill } }: Scene): Deed['orders'] {
  const [slot] = mill
    .snapshot()
    .slots.filter(({ phase }) => phase === 'weighing')
    .sort((a, b) => b.elapsedMs - a.elapsedMs);
  if (!slot) throw new Error('no batch is being weighed now: wait for the next one');
  odoo.cancel(slot.mo_id);
  return () => [slot.mo_id];
}

/** It befalls the next batch that it can: which one, is known when it has. */
function nextMishap({ mill }: Plant, kind: MillTrouble): Deed['orders'] {
  const before = mill.mishaps().length;
  mill.trouble(kind, { ms: TYPED_OVER_MS });
  return () => {
    const happened = mill
      .mishaps()
      .slice(before)
      .find((mishap) => mishap.kind === kind);
    return happened && [happened.mo_id];
  };
}

export const MISCHIEF: Record<MischiefCode, Mischief> = {
  cable: {
    pull: ({ plant }) => plant.plc.setFault({ refuse: true }),
    mend: ({ plant }) => plant.plc.setFault({ refuse: false }),
  },
  stop: {
    pull: ({ plant }) => plant.plc.setFault({ stop: true }),
    mend: ({ plant }) => plant.plc.setFault({ stop: false }),
  },
  mistyped: { pull: ({ plant }) => nextMishap(plant, 'mistyped') },
  'typed-over': { pull: ({ plant }) => nextMishap(plant, 'typed-over') },
  'node-red': {
    pull: ({ nodeRed }) => nodeRed.kill(),
    mend: ({ nodeRed }) => nodeRed.startAgain(),
  },
  database: { pull: killDatabase },
  'odoo-down': {
    pull: ({ plant }) => plant.odoo.stop(),
    mend: ({ plant }) => plant.odoo.start(),
  },
  forgets: {
    pull: ({ plant }) => plant.odoo.setFault({ kind: 'forgets', count: 'always' }),
    mend: ({ plant }) => plant.odoo.clearFaults(),
  },
  password: {
    pull: ({ plant }) => plant.odoo.lockOut(plant.odoo.login.user, true),
    mend: ({ plant }) => plant.odoo.lockOut(plant.odoo.login.user, false),
  },
  cancelled: { pull: cancelOrder },
};

/** One thing that was done, and the orders whose kilograms have to arrive all the same. */
export interface Deed {
  id: number;
  code: MischiefCode;
  /** ISO times. */
  at: string;
  mended?: string;
  /** undefined: it has not happened yet. */
  orders(): string[] | undefined;
}

const isCode = (code: string): code is MischiefCode => Object.hasOwn(MISCHIEF, code);

/** What was done since the start, in turn. */
export class Deeds {
  readonly all: Deed[] = [];

  constructor(private readonly scene: Scene) {}

  /** @throws Error when there is no such mischief, when it lasts already, or when it cannot be done now */
  async pull(code: string): Promise<Deed> {
    const mischief = this.#mischief(code);
    if (this.#lasting(code)) throw new Error('that is so already');
    const before = this.#inTheSlots();
    const orders = (await mischief.pull(this.scene)) ?? (() => before);
    const at = new Date().toISOString();
    const deed: Deed = { id: this.all.length + 1, code: code as MischiefCode, at, orders };
    if (!mischief.mend) deed.mended = at;
    this.all.push(deed);
    return deed;
  }

  /** @throws Error when there is nothing to mend */
  async mend(code: string): Promise<Deed> {
    const mischief = this.#mischief(code);
    const deed = this.#lasting(code);
    if (!deed) throw new Error('that is mended already');
    await mischief.mend?.(this.scene);
    deed.mended = new Date().toISOString();
    const all = [...new Set([...(deed.orders() ?? []), ...this.#inTheSlots()])];
    deed.orders = () => all;
    return deed;
  }

  #mischief(code: string): Mischief {
    if (!isCode(code)) throw new Error(`no mischief "${code}": there is ${Object.keys(MISCHIEF).join(', ')}`);
    return MISCHIEF[code];
  }

  #lasting(code: string): Deed | undefined {
    return this.all.find((deed) => deed.code === code && deed.mended === undefined);
  }

  #inTheSlots(): string[] {
    return this.scene.plant.mill.snapshot().slots.flatMap(({ mo_id }) => mo_id || []);
  }
}
