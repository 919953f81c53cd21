/** What a plc-consumption-read node is set to, and the reader that follows from it. */
import type { S7Endpoint } from '@st-one-io/nodes7';
import type { NodeDef } from 'node-red';
import type { SiloMap } from '../lib/domain/silos';
import { LARGEST_WEIGHT } from '../lib/domain/weight';
import type { Context } from '../lib/node-red/node-shell';
import type { PlcReadNode } from '../lib/node-red/config-nodes';
import { LayoutError } from '../lib/plc/layout-check';
import { type EnteredRow, toLayout } from '../lib/plc/entered-layout';
import { SlotReader, type SlotReaderOptions } from '../lib/plc/slot-reader';
import { layoutWords } from '../lib/plc/layout-words';

export interface Config extends NodeDef {
  operation?: 'read' | 'acknowledge';
  endpoint: string;
  silos: string;
  db: string | number;
  base: string | number;
  stride: string | number;
  slots: string | number;
  fields: EnteredRow[];
  settle: string | number;
  timeout: string | number;
  maxSilo: string | number;
  maxFinished: string | number;
  moPattern: string;
  zeroBand?: string | number;
  checkMode?: boolean;
}

/** What the dialog says about the slots; the config nodes are found elsewhere. */
export type Settings = Omit<Config, 'endpoint' | 'silos' | keyof NodeDef>;

/** A node that reads, as one that acknowledges finds it. */
export interface ReadNode extends PlcReadNode {
  slotReader?: SlotReader;
}

/** As the dialog bounds them (ms, kg); a limit that is no number would let every weight pass. */
export const RANGES = {
  settle: { standard: 500, least: 0, most: 10_000 },
  timeout: { standard: 5000, least: 100, most: 60_000 },
  maxSilo: { standard: 5000, least: 0.001, most: LARGEST_WEIGHT },
  maxFinished: { standard: LARGEST_WEIGHT, least: 0.001, most: LARGEST_WEIGHT },
  zeroBand: { standard: 0, least: 0, most: 100 },
} as const;
/** The value of a setting within its range. */
export type Bounded = (key: keyof typeof RANGES) => number;

/** A reader as the dialog says. @throws Error with every problem of the layout, in the words of the locale */
export function createReader(
  t: Context['t'],
  endpoint: S7Endpoint,
  config: Settings,
  silos: SiloMap,
  within: Bounded,
  options: Pick<SlotReaderOptions, 'endpointId' | 'asksStore'> = {},
): SlotReader {
  try {
    return new SlotReader(endpoint, toLayout(config), silos, {
      ...options,
      limits: { silo: within('maxSilo'), actual_weight_quantity_finished_goods: within('maxFinished') },
      settleMs: within('settle'),
      timeoutMs: within('timeout'),
      zeroBand: within('zeroBand'),
      ...(config.moPattern ? { moIdPattern: config.moPattern } : {}),
      checkMode: config.checkMode !== false,
    });
  } catch (error) {
    if (!(error instanceof LayoutError)) throw error;
    const problems = error.problems.map((problem) => layoutWords(t, problem)).join('; ');
    throw new Error(t('error.layout', { problems }), { cause: error });
  }
}
