/**
 * Requests of the manual API, checked and brought into one shape, and the answers in the shapes that other programs know.
 */
import { CONCLUSIONS } from '../lib/domain/conclusion';
import type { ManualRequest } from '../lib/domain/correction';
import { MO_ID_PATTERN } from '../lib/domain/reading';
import { breaches, type Problem } from '../lib/domain/schema';
import { SILO_TAGS, type SiloWeights } from '../lib/domain/silos';
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
const bySilo = (prefix: string): Record<string, typeof kg> =>
  Object.fromEntries(SILO_TAGS.map((tag) => [prefix + tag, kg]));

const BREACHES: Record<ManualOperation, (body: unknown) => Problem[]> = {
  update: breaches({
    type: 'object',
    required: ['mo_id', 'consumption_data'],
    properties: {
      ...common,
      consumption_data: { type: 'object', minProperties: 1, properties: bySilo(''), additionalProperties: false },
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
        properties: {
          ...bySilo('consumption_'),
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

/** @returns the request, or every breach with its field (HTTP 422). */
export function checkManual(
  operation: ManualOperation,
  body: unknown,
): { request: ManualRequest; problems?: never } | { request?: never; problems: Problem[] } {
  const problems = BREACHES[operation](body);
  if (problems.length > 0) return { problems };
  const { mo_id, correct_completed = false, consumption_data, finished_qty, batch_data = {} } = body as Body;
  const request: ManualRequest = { mo_id, correct_completed, markDone: operation === 'mark-done' };
  if (operation === 'mark-done') return { request: { ...request, finished: roundDecoded(finished_qty ?? 0) } };
  const consumption: SiloWeights = {};
  for (const tag of SILO_TAGS) {
    const value = consumption_data?.[tag] ?? batch_data[`consumption_${tag}`];
    if (typeof value === 'number') consumption[tag] = roundDecoded(value);
  }
  const finished = batch_data.actual_weight_quantity_finished_goods;
  const markDone = Boolean(batch_data.status_manufacturing);
  const anything = Object.values(consumption).some((value) => value > 0) || Number(finished ?? 0) > 0;
  if (operation === 'process' && !anything && !markDone) {
    const problem = 'nothing above 0 and nothing to close: consumption/update corrects a silo to 0';
    return { problems: [{ field: 'batch_data', problem }] };
  }
  return {
    request: {
      ...request,
      ...(operation === 'update' || Object.values(consumption).some((value) => value > 0) ? { consumption } : {}),
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
