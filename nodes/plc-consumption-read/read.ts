/** Reads every slot once per message. */
import type { Node, NodeAPI } from 'node-red';
import { bounded } from '../lib/node-red/bounded';
import type { S7EndpointNode, SiloMapNode } from '../lib/node-red/config-nodes';
import { type Action, clock, type Context, requireNode } from '../lib/node-red/node-shell';
import { followPlc } from '../lib/node-red/plc-link';
import { tellRead } from '../lib/node-red/telemetry';
import { PlcError } from '../lib/plc/plc-errors';
import { inKg, type SlotReading } from '../lib/plc/slot-guards';
import { type Bounded, type Config, createReader, RANGES, type ReadNode } from './settings';
import { inWords } from '../lib/plc/slot-words';

/** A node as it runs: the ids that its outputs, or its side of a link, lead to. */
type Wired = Node & { wires?: string[][]; links?: string[] };

/** Whether what leaves by the first output comes to a store, through any number of nodes in between. */
function reachesStore(RED: NodeAPI, { wires: [first = []] = [] }: Wired): boolean {
  const seen = new Set<string>();
  const leads = (id: string): boolean => {
    if (seen.has(id)) return false;
    seen.add(id);
    const node = RED.nodes.getNode(id) as Wired | null;
    return node?.type === 'mo-batch-store' || [...(node?.wires ?? []), node?.links ?? []].flat().some(leads);
  };
  return first.some(leads);
}

/** A reading of an order that another reading of the same message tells too, held for a person: it goes in a message of its own. */
const isApart = ({ mo_id, hold }: SlotReading, readings: readonly SlotReading[]): boolean =>
  hold !== undefined && readings.some((other) => other.mo_id === mo_id && other.hold === undefined);

export function readAction(RED: NodeAPI, node: ReadNode, config: Config, t: Context['t']): Action {
  const { endpoint } = requireNode<S7EndpointNode>(RED, config.endpoint, t, t('label.endpoint'));
  if (!endpoint) throw new Error(t('error.endpoint'));
  const silos = requireNode<SiloMapNode>(RED, config.silos, t, t('label.silos')).map();
  const within: Bounded = (key) => bounded(node, t, key, config[key], RANGES[key]);
  const reader = createReader(t, endpoint, config, silos, within, {
    endpointId: config.endpoint,
    asksStore: () => reachesStore(RED, node),
  });
  node.slotReader = reader;

  const link = followPlc(node, endpoint, t);
  node.link = link;

  /** MO ids that were told to fill their field: a slot shows its own for many cycles. */
  let toldCut = new Set<string>();

  return {
    links: [link],
    close: () => reader.close(),
    run: async (_msg, { signal }) => {
      const result = await reader.read(signal).catch((error: unknown) => {
        if (error instanceof PlcError) {
          link.isDown(error.message);
          tellRead({ reader: node.name || node.id, failed: error.kind });
        }
        throw error;
      });
      link.isUp();
      const { readings, rejected, ...read } = result;
      const unnamed = read.unnamed.map((slot) => inWords(t, slot));
      // A batch without a number stays refused for as long as it stands there, and is told when it changes.
      const refused = rejected.map((slot) => inWords(t, slot));
      const fresh = refused.filter(({ repeated }) => !repeated);
      tellRead({ reader: node.name || node.id, seconds: read.duration_ms / 1000, rejected: fresh });
      for (const { slot, mo_id, problems } of fresh) {
        for (const { field, problem, value } of problems) {
          node.warn(
            t('status.rejected-one', {
              slot,
              mo_id: mo_id ?? '?',
              field: silos.name(field),
              problem,
              value: String(value),
            }),
          );
        }
      }
      for (const { slot, mo_id, falling, may_be_cut, seen_once, hold, ...said } of readings) {
        if (seen_once)
          node.warn(t(hold ? 'status.seen-once-held' : 'status.seen-once', { slot, mo_id, ...inKg(said) }));
        if (falling)
          node.warn(t('status.falling', { slot, mo_id, silos: falling.map((tag) => silos.name(tag)).join(', ') }));
        if (may_be_cut && !toldCut.has(mo_id)) node.warn(t('status.may-be-cut', { slot, mo_id, length: mo_id.length }));
      }
      toldCut = new Set(readings.flatMap(({ mo_id, may_be_cut }) => (may_be_cut ? [mo_id] : [])));
      const completed = readings.filter(({ status_manufacturing }) => status_manufacturing).length;
      const from = { ...read, unnamed, node: node.id };
      const apart = readings.filter((reading) => isApart(reading, readings));
      return {
        outputs: [
          [
            { payload: readings.filter((reading) => !apart.includes(reading)), read: { ...from, rejected: refused } },
            // Neither empties nor judges a slot a second time.
            ...(apart.length > 0 ? [{ payload: apart, read: { ...from, emptied: [], unnamed: [] } }] : []),
          ],
          fresh.length > 0 ? { payload: fresh } : undefined,
        ],
        status: {
          level: rejected.length > 0 ? 'attention' : 'ok',
          text: t(rejected.length > 0 ? 'status.read-rejected' : 'status.listed', {
            count: readings.length,
            completed,
            rejected: rejected.length,
            empty: read.empty,
            at: clock(),
          }),
        },
      };
    },
  };
}
