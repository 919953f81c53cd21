/** What a plc-order-write node is set to, and the order area that follows from it. */
import type { S7Endpoint } from '@st-one-io/nodes7';
import type { NodeDef } from 'node-red';
import type { Clearing } from '../lib/domain/handover';
import { setting } from '../lib/domain/setting';
import type { SiloMap } from '../lib/domain/silos';
import { LARGEST_WEIGHT } from '../lib/domain/weight';
import type { Context } from '../lib/node-red/node-shell';
import { toLayout } from '../lib/plc/entered-layout';
import type { EnteredRow } from '../lib/plc/entered-layout';
import { layoutWords } from '../lib/plc/layout-words';
import { OrderArea } from '../lib/plc/order-area';
import { validateOrderLayout } from '../lib/plc/order-check';
import type { OrderLayout } from '../lib/plc/order-layout';
import type { OrderLimits } from '../lib/plc/order-record';

/** A row of the field table; `limit`: the highest plan of a silo (kg). */
export type OrderRow = EnteredRow & { limit?: string | number };

export interface Config extends NodeDef {
  operation: 'hand-over' | 'withdraw';
  database: string;
  line: string;
  endpoint: string;
  silos: string;
  db: string | number;
  base: string | number;
  stride: string | number;
  slots: string | number;
  fields: OrderRow[];
  clearing: Clearing;
  settle: string | number;
  timeout: string | number;
  maxSilo: string | number;
}

/** What the dialog says about the slots; the config nodes are found elsewhere. */
export type Settings = Omit<Config, 'endpoint' | 'silos' | 'database' | keyof NodeDef>;

/** As the dialog bounds them (ms, kg); a limit that is no number would let every weight pass. */
export const RANGES = {
  settle: { standard: 1000, least: 0, most: 10_000 },
  timeout: { standard: 5000, least: 100, most: 60_000 },
  maxSilo: { standard: 5000, least: 0.001, most: LARGEST_WEIGHT },
} as const;
/** The value of a setting within its range. */
export type Bounded = (key: keyof typeof RANGES) => number;

/** @throws Error with every problem of the layout, in the words of the locale */
export function soundLayout(t: Context['t'], config: Settings, silos: SiloMap): OrderLayout {
  const layout = toLayout(config) as OrderLayout;
  const problems = validateOrderLayout(layout, silos).map((problem) => layoutWords(t, problem));
  if (problems.length > 0) throw new Error(t('error.layout', { problems: problems.join('; ') }));
  return layout;
}

export const createArea = (endpoint: S7Endpoint, layout: OrderLayout, within: Bounded): OrderArea =>
  new OrderArea(endpoint, layout, { timeoutMs: within('timeout'), settleMs: within('settle') });

/** The highest plan of every silo (kg). */
export const limitsOf = ({ fields = [] }: Settings, within: Bounded): OrderLimits => ({
  silo: within('maxSilo'),
  ...Object.fromEntries(
    fields.flatMap(({ field, limit }) => (Number(limit) > 0 ? [[String(field), Number(limit)]] : [])),
  ),
});

/** The settings of a dialog within their ranges, without a word. */
export const quietly =
  (settings: Settings): Bounded =>
  (key) =>
    setting(settings[key], RANGES[key]).value;
