/**
 * Old flows keep working: what a node's saved config lacks is filled with the defaults of the version that saved it, and
 * then brought forward step by step. So a default that changes in the dialog changes nothing that is deployed already.
 */
type Config = Record<string, unknown>;

export interface ConfigHistory {
  /** The dialog's defaults in version 1: never edited again. */
  first: Config;
  /** From version 1 to 2, from 2 to 3 …; each gets a whole config and returns one. */
  steps: readonly ((config: Config) => Config)[];
}

/** By node type. A property that a person has to choose has no default. */
export const CONFIG_HISTORIES: Readonly<Record<string, ConfigHistory>> = {
  'odoo-server': {
    first: { timeout: 30, parallel: 2, tls: '' },
    // There was one interface, one secret and one way to tell a silo.
    steps: [(config) => ({ interface: 'addon', secret: 'password', siloBy: 'reference', siloField: '', ...config })],
  },
  'mo-database': {
    first: {
      ...{ mode: 'embedded', directory: '', port: '', host: '', serverPort: 5432, database: 'mo_bridge', tls: '' },
      metrics: false,
    },
    steps: [],
  },
  'silo-map': { first: {}, steps: [] },
  'odoo-fetch-mo': {
    first: { operation: 'fetch', line: '' },
    // There were no orders down, so that a plan that changed in Odoo mattered to nobody.
    steps: [
      (config) => ({ lineBy: 'operation-type', lineField: '', ...config }),
      (config) => ({ plans: false, ...config }),
    ],
  },
  'plc-consumption-read': {
    first: {
      ...{ operation: 'read', db: 100, base: 0, stride: 110, slots: 10, settle: 500, timeout: 5000 },
      ...{ maxSilo: 5000, maxFinished: 10_000_000, moPattern: '', zeroBand: 0, checkMode: true },
    },
    steps: [],
  },
  'plc-order-write': {
    first: {
      ...{ operation: 'hand-over', line: '', db: 110, base: 0, stride: 146, slots: 10, clearing: 'bridge' },
      ...{ settle: 1000, timeout: 5000, maxSilo: 5000 },
    },
    steps: [],
  },
  'mo-batch-store': {
    first: {
      ...{ operation: 'summary', line: '', limit: 10, limitType: 'num', outputs: 1 },
      ...{ stalled: 15, unread: 15, unconfirmed: 30 },
    },
    // No order was handed to a PLC.
    steps: [(config) => ({ handed: 60, ...config })],
  },
  'odoo-push-consumption': {
    first: {
      ...{ operation: 'process', markDone: false, readBack: false, closeWarning: true, closeStrict: false },
      ...{ minFinishedShare: 90, noFinishedWeight: 'set-aside' },
    },
    // Closing what nobody weighed, and dropping what no silo weighs, was never meant.
    steps: [
      (config) => ({ minWeighedShare: 1, bookUnweighed: true, unreserve: false, ...config }),
      (config) => ({ makeLot: true, refuseExcess: false, ...config }),
    ],
  },
  'history-archive': {
    first: { operation: 'completed', source: 'message', requires: 'done', note: '', noteType: 'str', line: '' },
    steps: [],
  },
};

/**
 * A config as today's code reads it; one without a version is of version 1.
 * @throws Error when a newer package saved it
 */
export function migrateConfig<T extends object>(type: string, saved: T, histories = CONFIG_HISTORIES): T {
  const { first, steps } = histories[type] ?? { first: {}, steps: [] };
  const { configVersion: version = 1 } = saved as { configVersion?: number };
  if (version > steps.length + 1) {
    throw new Error(
      `saved by a newer version of this package (config ${version}, known up to ${steps.length + 1}): update it`,
    );
  }
  const given = Object.entries(saved).filter(([, value]) => value !== undefined);
  const whole: Config = { ...(version === 1 ? first : {}), ...Object.fromEntries<unknown>(given) };
  const migrated = steps.slice(version - 1).reduce((config, step) => step(config), whole);
  return { ...migrated, configVersion: steps.length + 1 } as unknown as T;
}

/** The defaults of a node that is dragged in today, its version included: those of version 1, brought forward. */
export const defaultsOf = (type: string): Config => migrateConfig<Config>(type, {});
