/** Hands the next orders of a line over: one pass for every trigger. */
import type { Node, NodeAPI } from 'node-red';
import { bounded } from '../lib/node-red/bounded';
import type { DatabaseNode, S7EndpointNode, SiloMapNode } from '../lib/node-red/config-nodes';
import { type Action, clock, type Context, namedIn, requireNode, type Status } from '../lib/node-red/node-shell';
import { followPlc } from '../lib/node-red/plc-link';
import { PlcError } from '../lib/plc/plc-errors';
import { pass, type Passed } from './pass';
import { refusedIn, type Refused } from './refused';
import { type Bounded, type Config, createArea, limitsOf, RANGES, soundLayout } from './settings';

/** A write that is sent lands within its time limit and that of the endpoint's connection, or never (ms). */
const leaseMs = (timeoutMs: number): number => 2 * timeoutMs + 10_000;

const statusOf = ({ slots, waiting }: Passed, refused: number, t: Context['t']): Status => {
  const count = (as: string): number => slots.filter((slot) => slot.as === as).length;
  const values = { offered: count('offered'), free: count('free'), waiting, refused, at: clock() };
  if (refused > 0) return { level: 'attention', text: t('status.handed-refused', values) };
  if (waiting > 0) return { level: 'ok', text: t('status.full', values) };
  return { level: values.offered > 0 ? 'ok' : 'idle', text: t('status.offered', values) };
};

export function handOverAction(RED: NodeAPI, node: Node, config: Config, t: Context['t']): Action {
  const database = requireNode<DatabaseNode>(RED, config.database, t, t('label.database'));
  const link = database.database();
  const { endpoint } = requireNode<S7EndpointNode>(RED, config.endpoint, t, t('label.endpoint'));
  if (!endpoint) throw new Error(t('error.endpoint'));
  const silos = requireNode<SiloMapNode>(RED, config.silos, t, t('label.silos')).map();
  const within: Bounded = (key) => bounded(node, t, key, config[key], RANGES[key]);
  const layout = soundLayout(t, config, silos);
  const area = createArea(endpoint, layout, within);
  const tools = { area, layout, limits: limitsOf(config, within), clearing: config.clearing };
  const ttlMs = leaseMs(within('timeout'));
  const plc = followPlc(node, endpoint, t);
  const offered = new Set<string>();
  /** What was told already: a slot, or an order that does not fit, is the same for many triggers. */
  let known = new Set<string>();

  /** Tells each once. @returns those that are new */
  function tell(refused: readonly Refused[]): Refused[] {
    const before = known;
    known = new Set(refused.map((each) => JSON.stringify(each)));
    const fresh = refused.filter((each) => !before.has(JSON.stringify(each)));
    for (const { mo_id, slot, problems } of fresh)
      for (const { problem } of problems)
        node.warn(t(slot === undefined ? 'status.refused-one' : 'status.slot-one', { mo_id, slot, problem }));
    return fresh;
  }

  return {
    links: [database.link, plc],
    close: () => area.close(),
    run: async (msg, { signal }) => {
      const passed = await link.use(async ({ handovers }) => {
        const named = namedIn(msg);
        if (named.length > 0) await handovers.wantAgain(named);
        return pass({ ...tools, ledger: handovers, ttlMs }, config.line ?? '', offered, signal).catch(
          (error: unknown) => {
            if (error instanceof PlcError) plc.isDown(error.message);
            throw error;
          },
        );
      });
      if (!passed) return { outputs: [], status: { level: 'idle', text: t('status.busy') } };
      plc.isUp();
      for (const { state, mo_id, slot } of passed.told) node.log(t(`status.${state}-one`, { mo_id, slot }));
      const refused = refusedIn(passed, t, silos);
      const fresh = tell(refused);
      const [error] = passed.errors;
      return {
        outputs: [passed.told, fresh].map((list) => (list.length > 0 ? { payload: list } : undefined)),
        status: error ? { level: 'failed', text: error.message } : statusOf(passed, refused.length, t),
        ...(error ? { error } : {}),
      };
    },
  };
}
