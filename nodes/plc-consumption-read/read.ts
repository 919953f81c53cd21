/** Reads every slot once per message. */
import type { Node, NodeAPI } from 'node-red';
import { LinkState } from '../lib/domain/link-state';
import { bounded } from '../lib/node-red/bounded';
import type { S7EndpointNode, SiloMapNode } from '../lib/node-red/config-nodes';
import { type Action, clock, type Context, requireNode } from '../lib/node-red/node-shell';
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

  const link = new LinkState(({ up, problem }) => (up ? node.log(t('status.back')) : node.error(problem)));
  node.link = link;
  // 'error' alone tells of a PLC that was never there; its own text is in the log of the endpoint.
  const onLost = (): void => link.isDown(t('status.offline'));
  const onBack = (): void => link.isUp();
  endpoint.on('disconnect', onLost).on('error', onLost);
  endpoint.on('connect', onBack);
  if (endpoint.isConnected) link.isUp();
  // At once: an endpoint that is deployed anew together with this node hangs up, and that is no lost PLC. (Not by once():
  // a listener that removes itself makes Node-RED skip the next one, which is the shell's.)
  node.on('close', () => {
    endpoint.off('disconnect', onLost).off('error', onLost);
    endpoint.off('connect', onBack);
  });

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
