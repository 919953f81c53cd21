/**
 * `npm run bench`: every figure as a ratio measured in this run, against the limit that the protocol sets or against the flow
 * from stock nodes (stock-flow.json). `--json`: one line `{"machine":…,"figures":{…}}`; `--only drain,start`: these parts (`scale` only so);
 * `--profile PREFIX`: CPU profiles of Node-RED as PREFIX-drain.cpuprofile and PREFIX-cycle.cpuprofile. Progress goes to stderr.
 */
import { writeFileSync } from 'node:fs';
import { cpus, totalmem, type } from 'node:os';
import { parseArgs } from 'node:util';
import { startTestCluster } from '../support/cluster';
import { cycle, drain } from './flow-parts';
import { memory, record, start } from './parts';
import { startPlantProcess } from './plant-process';
import { standardDrain } from './standard-drain';
import { plcRead } from './plc-read';
import { scale, SCALE_GOALS } from './scale';
import type { Figures, Goal, Setting } from './setting';

const PARTS: Record<string, (setting: Setting) => Promise<Figures>> = {
  read: plcRead,
  record,
  cycle,
  drain,
  standard: standardDrain,
  memory,
  start,
  scale,
};

/** Takes long, and much of the disk: only when it is asked for. */
const ON_DEMAND = ['scale'];

/** What each figure says, and its goal: at most, or at least, so much. */
const GOALS: Record<string, Goal> = {
  drain_vs_ideal: { says: 'drain of 1,000 batches, Odoo at 50 ms, 8 at a time: times calls × 50 ms / 8', most: 1.05 },
  drain_vs_bare_http: {
    says: 'the same: times node:http alone with the same 1,000 calls, without database and Node-RED',
    most: 1.04,
  },
  drain_vs_stock: { says: 'the same: so many times faster than the stock flow', least: 10 },
  drain_standard_14: {
    says: "60 batches on a standard Odoo 14 as slow as measured: times its own calls' time",
    most: 1.1,
  },
  drain_standard_17: { says: 'the same on 17', most: 1.1 },
  drain_standard_19: { says: 'the same on 19, over /json/2', most: 1.1 },
  cycle_vs_stock: { says: 'Task 2 cycle, 30 slots changed: so many times faster than the stock flow', least: 3.5 },
  cycle_vs_bare_http: {
    says: 'the same: times node:http alone with its 30 updates, without PLC, database and Node-RED',
    most: 2.5,
  },
  read240_vs_nodes7: { says: "PLC read of 30 slots, PDU 240: times nodes7's own group over all of them", most: 1.1 },
  read480_vs_nodes7: { says: 'PDU 480', most: 0.9 },
  read960_vs_nodes7: { says: 'PDU 960', most: 0.8 },
  read240_telegrams_vs_nodes7: { says: "telegrams of that read, PDU 240: times those of nodes7's group", most: 1.2 },
  read480_telegrams_vs_nodes7: { says: 'PDU 480', most: 1.2 },
  read960_telegrams_vs_nodes7: { says: 'PDU 960', most: 1.2 },
  statements_1: { says: 'database statements to read, record and list, 1 slot', most: 3 },
  statements_10: { says: '10 slots', most: 3 },
  statements_30: { says: '30 slots', most: 3 },
  statements_64: { says: '64 slots', most: 3 },
  statements_per_push: { says: 'database statements per batch pushed', most: 2 },
  cycle_with_1m_history: { says: 'cycle with 1,000,000 rows of history: times one with none', most: 1.1 },
  idle_rows: { says: 'rows of mo_batch and mo_events that an idle cycle writes', most: 0 },
  idle_odoo_calls: { says: 'calls to Odoo in an idle cycle', most: 0 },
  record30_vs_single: { says: 'recording 30 readings: so many times faster than 30 single UPDATEs', least: 4 },
  loop_delay_p99_ms: { says: 'event loop delay during the drain, p99 (ms)', most: 10 },
  memory_mb: { says: 'memory above an empty Node-RED with node-red-contrib-s7, after 1,000 cycles (MB)', most: 30 },
  memory_growth_mb: { says: 'growth of live memory from cycle 1,000 to 5,000 (MB)', most: 1 },
  memory_growth_rss_mb: { says: 'growth of the resident set in the same cycles (MB)' },
  start_ms: { says: 'start of Node-RED with the package: later than without (ms)', most: 100 },
  ...SCALE_GOALS,
};

const { values: options } = parseArgs({
  options: { json: { type: 'boolean' }, only: { type: 'string' }, profile: { type: 'string' } },
});
const say = (line: string): void => void process.stderr.write(`${line}\n`);

const machine = (): string => {
  const { model = 'unknown CPU' } = cpus()[0] ?? {};
  return `${cpus().length} × ${model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GB, ${type()}, Node.js ${process.version}`;
};

const shown = (value: number): string => String(Number(value.toFixed(2)));

function table(figures: Figures): string {
  const rows = Object.entries(figures).map(([name, value]) => {
    const { says = '', most = Infinity, least = -Infinity } = GOALS[name] ?? {};
    const goal = Number.isFinite(most) ? `≤ ${most}` : Number.isFinite(least) ? `≥ ${least}` : '';
    const met = goal && (value <= most && value >= least ? 'yes' : 'no');
    return `| \`${name}\` | ${says} | ${shown(value)} | ${goal} | ${met} |`;
  });
  return ['| figure | | measured | goal | met |', '|---|---|---|---|---|', ...rows, '', machine(), ''].join('\n');
}

async function main(): Promise<number> {
  const names = options.only?.split(',') ?? Object.keys(PARTS).filter((name) => !ON_DEMAND.includes(name));
  const unknown = names.filter((name) => !PARTS[name]);
  if (unknown.length > 0) {
    say(`--only takes ${Object.keys(PARTS).join(', ')}; not ${unknown.join(', ')}`);
    return 2;
  }
  const cluster = await startTestCluster();
  process.env['MO_BRIDGE_TEST_CLUSTER'] = JSON.stringify(cluster.connection);
  const plant = startPlantProcess();
  const { profile: prefix } = options;
  const onProfile = (name: string, profile: object): void =>
    writeFileSync(`${prefix}-${name}.cpuprofile`, JSON.stringify(profile));
  const measured: Figures = {};
  try {
    for (const name of names) {
      say(`\n${name}`);
      Object.assign(measured, await PARTS[name]?.({ plant, say, ...(prefix ? { onProfile } : {}) }));
    }
  } finally {
    await plant.stop();
    await cluster.stop();
  }
  const figures = Object.fromEntries(
    Object.keys(GOALS).flatMap((name) =>
      name in measured ? [[name, Math.round((measured[name] as number) * 1000) / 1000]] : [],
    ),
  );
  process.stdout.write(options.json ? `${JSON.stringify({ machine: machine(), figures })}\n` : table(figures));
  return 0;
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    say(error instanceof Error ? (error.stack ?? error.message) : String(error));
    process.exit(1);
  },
);
