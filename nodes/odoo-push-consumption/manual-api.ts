/**
 * Requests of the manual API, checked and brought into one shape, and the answers in the shapes that other programs know.
 */
import { CONCLUSIONS } from '../lib/domain/conclusion';
import type { ManualRequest } from '../lib/domain/correction';
import { MO_ID_PATTERN } from '../lib/domain/reading';
import { breaches, type Problem } from '../lib/domain/schema';
import { SILO_TAG_PATTERN, SILO_TAGS, SiloMap, type SiloWeights } from '../lib/domain/silos';
import { LARGEST_WEIGHT, roundDecoded } from '../lib/domain/weight';
import type { PushMessage } from './message';

export type { ManualRequest } from '../lib/domain/correction';

export type ManualOperation = 'update' | 'mark-done' | 'process';

const kg = { type: 'number', minimum: 0, maximum: LARGEST_WEIGHT } as const;
const common = {
  mo_id: { type: 'string', pattern: MO_ID_PATTERN },
  equipment_id: { type: 'string' },
  correct_completed: { type: 'boolean' },
} as const;
/** Before a silo's tag in `batch_data`. */
const PREFIX = 'consumption_';
const bySilo = (prefix: string): Record<string, typeof kg> => ({ [SILO_TAG_PATTERN.replace('^', `^${prefix}`)]: kg });

const BREACHES: Record<ManualOperation, (body: unknown) => Problem[]> = {
  update: breaches({
    type: 'object',
    required: ['mo_id', 'consumption_data'],
    properties: {
      ...common,
      consumption_data: {
        type: 'object',
        minProperties: 1,
        patternProperties: bySilo(''),
        additionalProperties: false,
      },
      timestamp: { type: 'string' },
    },
  }),
  'mark-done': breaches({
    type: 'object',
    required: ['mo_id', 'finished_qty'],
    properties: {
      ...common,
      finished_qty: { ...kg, minimum: undefined, exclusiveMinimum: 0 },
      message: { type: 'string' },
    },
  }),
  process: breaches({
    type: 'object',
    required: ['mo_id', 'batch_data'],
    properties: {
      ...common,
      batch_data: {
        type: 'object',
        minProperties: 1,
        patternProperties: bySilo(PREFIX),
        properties: {
          status_manufacturing: { enum: [0, 1, true, false] },
          actual_weight_quantity_finished_goods: kg,
        },
        additionalProperties: false,
      },
    },
  }),
};

interface Body {
  mo_id: string;
  correct_completed?: boolean;
  consumption_data?: Record<string, number>;
  finished_qty?: number;
  batch_data?: Record<string, number | boolean>;
}

/** The silos that a body names, each with its field. */
function silosNamed({ consumption_data = {}, batch_data = {} }: Body): { tag: string; field: string; kg: unknown }[] {
  const ofBatch = Object.entries(batch_data).filter(([key]) => key.startsWith(PREFIX));
  return [
    ...Object.entries(consumption_data).map(([tag, kg]) => ({ tag, field: `consumption_data.${tag}`, kg })),
    ...ofBatch.map(([key, kg]) => ({ tag: key.slice(PREFIX.length), field: `batch_data.${key}`, kg })),
  ];
}

/**
 * @param silos the plant's: beyond the fifteen that every table has, only these are known
 * @returns the request, or every breach with its field (HTTP 422)
 */
export function checkManual(
  operation: ManualOperation,
  body: unknown,
  silos: SiloMap = new SiloMap(),
): { request: ManualRequest; problems?: never } | { request?: never; problems: Problem[] } {
  const known = (tag: string): boolean => (SILO_TAGS as readonly string[]).includes(tag) || Boolean(silos.byTag(tag));
  const told = silosNamed(Object(body) as Body);
  const strange = told
    .filter(({ tag }) => !known(tag))
    .map(({ field }) => ({ field, problem: 'is no silo of the silo-map' }));
  const named = new Set(strange.map(({ field }) => field));
  const problems = [...BREACHES[operation](body).filter(({ field }) => !named.has(field)), ...strange];
  if (problems.length > 0) return { problems };
  const { mo_id, correct_completed = false, finished_qty, batch_data = {} } = body as Body;
  const request: ManualRequest = { mo_id, correct_completed, markDone: operation === 'mark-done' };
  if (operation === 'mark-done') return { request: { ...request, finished: roundDecoded(finished_qty ?? 0) } };
  const consumption: SiloWeights = {};
  for (const { tag, kg } of told) consumption[tag] = roundDecoded(kg as number);
  const finished = batch_data.actual_weight_quantity_finished_goods;
  const markDone = Boolean(batch_data.status_manufacturing);
  const weighed = Object.values(consumption).some((value) => Number(value) > 0);
  const anything = weighed || Number(finished ?? 0) > 0;
  if (operation === 'process' && !anything && !markDone) {
    const problem = 'nothing above 0 and nothing to close: consumption/update corrects a silo to 0';
    return { problems: [{ field: 'batch_data', problem }] };
  }
  return {
    request: {
      ...request,
      ...(operation === 'update' || weighed ? { consumption } : {}),
      // An order is closed with what was weighed: a 0 says nothing then, and takes back what was told before otherwise.
      ...(typeof finished === 'number' && (finished > 0 || !markDone) ? { finished: roundDecoded(finished) } : {}),
      markDone,
    },
  };
}

/** What of an outcome its answer tells. */
type Answerable = Pick<PushMessage, 'conclusion' | 'reason' | 'db_saved' | 'sent' | 'skipped' | 'locked' | 'warning'>;

/** HTTP status and body, in the shapes of the replaced system. */
export function manualAnswer(
  operation: ManualOperation,
  request: ManualRequest,
  outcome: Answerable,
  equipment_id?: string,
): { statusCode: number; payload: object } {
  const { mo_id } = request;
  const { conclusion, reason, db_saved, warning, skipped, locked } = outcome;
  if (conclusion !== 'confirmed') {
    const statusCode = skipped === 'too-late' ? 503 : skipped || locked ? 409 : CONCLUSIONS[conclusion].http;
    const sent = outcome.sent ? { sent: outcome.sent } : {};
    const detail = { success: false, mo_id, conclusion, db_saved, ...sent, ...(warning ? { warning } : {}) };
    return { statusCode, payload: { status: 'error', message: `MO ${mo_id}: ${reason || conclusion}`, data: detail } };
  }
  const consumed_items = Object.keys(request.consumption ?? {});
  const more = warning ? { warning } : {};
  const success = (message: string, data: object): { statusCode: number; payload: object } => ({
    statusCode: 200,
    payload: { status: 'success', message, data: { success: true, mo_id, ...data } },
  });
  if (operation === 'update') {
    return success('Consumption updated successfully', { equipment_id, db_saved, consumed_items, errors: [], ...more });
  }
  if (operation === 'mark-done') {
    return success('Manufacturing order marked as done', { finished_qty: request.finished, db_saved, ...more });
  }
  return success('Batch consumption processed successfully', {
    ...(request.consumption
      ? {
          consumption: {
            consumption_updated: true,
            consumption_details: { success: true, db_saved, consumed_items, errors: [] },
          },
        }
      : {}),
    ...(request.markDone
      ? { mark_done: { mo_marked_done: true, mark_done_details: { success: true, db_saved } } }
      : {}),
    ...more,
  });
}

/** The answer to a body that breaks the schema. */
export const invalidAnswer = (problems: readonly Problem[]): { statusCode: number; payload: object } => ({
  statusCode: 422,
  payload: { status: 'error', message: 'The request is not valid', errors: problems },
});
