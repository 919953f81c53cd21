import type { S7Endpoint } from '@st-one-io/nodes7';
import type { Node, NodeAPI, NodeDef } from 'node-red';
import type { PlcReadNode, S7EndpointNode, SiloMapNode } from '../lib/node-red/config-nodes';
import { bounded } from '../lib/node-red/bounded';
import { registerDialogCall } from '../lib/node-red/dialog-call';
import { setting } from '../lib/domain/setting';
import { LARGEST_WEIGHT } from '../lib/domain/weight';
import { type Silo, SiloMap } from '../lib/domain/silos';
import type { SlotField, SlotLayout } from '../lib/plc/slot-layout';
import { LinkState } from '../lib/domain/link-state';
import { clock, registerAction, requireNode, type Action, type Context } from '../lib/node-red/node-shell';
import { acknowledgeRecorded } from '../lib/plc/acknowledge';
import { type EndpointSettings, withEndpoint } from '../lib/plc/open-endpoint';
import { PlcError } from '../lib/plc/plc-errors';
import { inKg, type SlotReading } from '../lib/plc/slot-guards';
import { SlotReader, type SlotReaderOptions } from '../lib/plc/slot-reader';
import { tellRead } from '../lib/node-red/telemetry';

interface Config extends NodeDef {
  operation?: 'read' | 'acknowledge';
  endpoint: string;
  silos: string;
  db: string | number;
  base: string | number;
  stride: string | number;
  slots: string | number;
  fields: Record<keyof SlotField, string | number | undefined>[];
  settle: string | number;
  timeout: string | number;
  maxSilo: string | number;
  maxFinished: string | number;
  moPattern: string;
  zeroBand?: string | number;
  checkMode?: boolean;
}

/** What the dialog says about the slots; the config nodes are found elsewhere. */
type Settings = Omit<Config, 'endpoint' | 'silos' | keyof NodeDef>;

/** A node that reads, as one that acknowledges finds it. */
interface ReadNode extends PlcReadNode {
  slotReader?: SlotReader;
}

const optional = (value: string | number | undefined): number | undefined =>
  value === undefined || value === '' ? undefined : Number(value);

/** The layout as the dialog keeps it: text fields, blank for "not needed". */
const toLayout = ({ db, base, stride, slots, fields }: Settings): SlotLayout => ({
  db: Number(db),
  base: Number(base),
  stride: Number(stride),
  slots: Number(slots),
  fields: (fields ?? []).map(({ field, type, offset, length, scale }) => {
    const [bytes, factor] = [optional(length), optional(scale)];
    return {
      field: field as SlotField['field'],
      type: type as SlotField['type'],
      offset: Number(offset),
      ...(bytes ? { length: bytes } : {}),
      ...(factor ? { scale: factor } : {}),
    };
  }),
});

/** As the dialog bounds them (ms, kg); a limit that is no number would let every weight pass. */
const RANGES = {
  settle: { standard: 500, least: 0, most: 10_000 },
  timeout: { standard: 5000, least: 100, most: 60_000 },
  maxSilo: { standard: 5000, least: 0.001, most: LARGEST_WEIGHT },
  maxFinished: { standard: LARGEST_WEIGHT, least: 0.001, most: LARGEST_WEIGHT },
  zeroBand: { standard: 0, least: 0, most: 100 },
} as const;
type Bounded = (key: keyof typeof RANGES) => number;

/** A reader as the dialog says. @throws Error with every problem of the layout */
function createReader(
  endpoint: S7Endpoint,
  config: Settings,
  silos: SiloMap,
  within: Bounded,
  options: Pick<SlotReaderOptions, 'endpointId' | 'asksStore'> = {},
): SlotReader {
  return new SlotReader(endpoint, toLayout(config), silos, {
    ...options,
    limits: { silo: within('maxSilo'), actual_weight_quantity_finished_goods: within('maxFinished') },
    settleMs: within('settle'),
    timeoutMs: within('timeout'),
    zeroBand: within('zeroBand'),
    ...(config.moPattern ? { moIdPattern: config.moPattern } : {}),
    checkMode: config.checkMode !== false,
  });
}

/** What stands in the dialog, with the editor's own state of the config nodes that it names. */
interface ReadNow extends Settings {
  endpoint: EndpointSettings & { id: string; changed: boolean };
  silos?: Silo[];
}

/** One read for the dialog: through the deployed endpoint where it is as in the editor, else by a connection of its own. */
async function readNow(RED: NodeAPI, { endpoint, silos, ...settings }: ReadNow): Promise<object> {
  const read = async (connected: S7Endpoint): Promise<object> => {
    const within: Bounded = (key) => setting(settings[key], RANGES[key]).value;
    const reader = createReader(connected, settings, new SiloMap(silos), within);
    try {
      return await reader.read();
    } finally {
      reader.close();
    }
  };
  const deployed = (RED.nodes.getNode(endpoint.id) as S7EndpointNode | null)?.endpoint;
  return deployed && !endpoint.changed ? read(deployed) : withEndpoint(endpoint, read);
}

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

/** Reads every slot once per message. */
function readAction(RED: NodeAPI, node: ReadNode, config: Config, t: Context['t']): Action {
  const { endpoint } = requireNode<S7EndpointNode>(RED, config.endpoint, t, t('label.endpoint'));
  if (!endpoint) throw new Error(t('error.endpoint'));
  const silos = requireNode<SiloMapNode>(RED, config.silos, t, t('label.silos')).map();
  const within: Bounded = (key) => bounded(node, t, key, config[key], RANGES[key]);
  const reader = createReader(endpoint, config, silos, within, {
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
      // A batch without a number stays refused for as long as it stands there, and is told when it changes.
      const fresh = rejected.filter(({ repeated }) => !repeated);
      tellRead({ reader: node.name || node.id, seconds: read.duration_ms / 1000, rejected: fresh });
      for (const { slot, mo_id, problems } of fresh) {
        for (const { field, problem, value } of problems) {
          node.warn(t('status.rejected-one', { slot, mo_id: mo_id ?? '?', field, problem, value: String(value) }));
        }
      }
      for (const { slot, mo_id, falling, may_be_cut, seen_once, hold, ...said } of readings) {
        if (seen_once)
          node.warn(t(hold ? 'status.seen-once-held' : 'status.seen-once', { slot, mo_id, kg: inKg(said) }));
        if (falling) node.warn(t('status.falling', { slot, mo_id, silos: falling.join(', ') }));
        if (may_be_cut && !toldCut.has(mo_id)) node.warn(t('status.may-be-cut', { slot, mo_id, length: mo_id.length }));
      }
      toldCut = new Set(readings.flatMap(({ mo_id, may_be_cut }) => (may_be_cut ? [mo_id] : [])));
      const completed = readings.filter(({ status_manufacturing }) => status_manufacturing).length;
      const from = { ...read, node: node.id };
      const apart = readings.filter((reading) => isApart(reading, readings));
      return {
        outputs: [
          [
            { payload: readings.filter((reading) => !apart.includes(reading)), read: from },
            // Neither empties nor judges a slot a second time.
            ...(apart.length > 0 ? [{ payload: apart, read: { ...from, emptied: [], unnamed: [] } }] : []),
          ],
          fresh.length > 0 ? { payload: fresh } : undefined,
        ],
        status: {
          level: rejected.length > 0 ? 'attention' : 'ok',
          text: t(rejected.length > 0 ? 'status.read-rejected' : 'status.read', {
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

/** Frees the completed slots of a message that the store has answered. */
function acknowledgeAction(RED: NodeAPI, node: Node, t: Context['t']): Action {
  let told = new Set<string>();
  return {
    whileBusy: 'queue',
    run: async ({ payload, read }, { signal }) => {
      if (!Array.isArray(payload)) throw new Error(t('error.recorded'));
      // The message says who read it, so that the layout is entered once, and may pass any number of nodes in between.
      const from = (read as { node?: string } | undefined)?.node ?? '';
      const { slotReader } = (RED.nodes.getNode(from) as ReadNode | null) ?? {};
      if (!slotReader) throw new Error(t('error.reader'));
      const { acknowledged, kept, error } = await acknowledgeRecorded(slotReader, payload, signal);
      for (const { slot, mo_id } of acknowledged) node.log(t('status.acknowledged-one', { slot, mo_id }));
      const keptTexts = kept.map((slot) => t('status.kept-one', { ...slot }));
      for (const text of keptTexts) if (!told.has(text)) node.warn(text);
      told = new Set(keptTexts);
      const values = { count: acknowledged.length, kept: kept.length, at: clock() };
      const level = kept.length > 0 ? 'attention' : acknowledged.length > 0 ? 'ok' : 'idle';
      return {
        outputs: [acknowledged, kept].map((slots) => (slots.length > 0 ? { payload: slots } : undefined)),
        status: error
          ? { level: 'failed', text: error.message }
          : { level, text: t(kept.length > 0 ? 'status.acknowledged-kept' : 'status.acknowledged', values) },
        ...(error ? { error } : {}),
      };
    },
  };
}

export = function (RED: NodeAPI) {
  const call = { place: [], nodes: { endpoint: 's7 endpoint', silos: 'silo-map' } };
  registerDialogCall(RED, 'plc-consumption-read', 'read', call, (values) => readNow(RED, values as unknown as ReadNow));
  registerAction<Config>(RED, 'plc-consumption-read', { whileBusy: 'skip' }, (node, config, t) =>
    config.operation === 'acknowledge' ? acknowledgeAction(RED, node, t) : readAction(RED, node, config, t),
  );
};
