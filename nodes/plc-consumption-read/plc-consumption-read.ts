import type { NodeAPI, NodeDef } from 'node-red';
import type { S7EndpointNode, SiloMapNode } from '../lib/config-nodes';
import type { SlotField, SlotLayout } from '../lib/domain/slot-layout';
import { LinkState } from '../lib/link-state';
import { clock, registerAction, requireNode } from '../lib/node-shell';
import { PlcError } from '../lib/plc/plc-errors';
import { SlotReader } from '../lib/plc/slot-reader';

interface Config extends NodeDef {
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
}

const optional = (value: string | number | undefined): number | undefined =>
  value === undefined || value === '' ? undefined : Number(value);

/** The layout as the dialog keeps it: text fields, blank for "not needed". */
const toLayout = ({ db, base, stride, slots, fields }: Config): SlotLayout => ({
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

export = function (RED: NodeAPI) {
  registerAction<Config>(RED, 'plc-consumption-read', { whileBusy: 'skip' }, (node, config, t) => {
    const { endpoint } = requireNode<S7EndpointNode>(RED, config.endpoint, t, t('label.endpoint'));
    if (!endpoint) throw new Error(t('error.endpoint'));
    const silos = requireNode<SiloMapNode>(RED, config.silos, t, t('label.silos')).map();
    const silo = optional(config.maxSilo);
    const finished = optional(config.maxFinished);
    const settleMs = optional(config.settle);
    const timeoutMs = optional(config.timeout);
    const reader = new SlotReader(endpoint, toLayout(config), silos, {
      limits: {
        ...(silo === undefined ? {} : { silo }),
        ...(finished === undefined ? {} : { actual_weight_quantity_finished_goods: finished }),
      },
      ...(settleMs === undefined ? {} : { settleMs }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      ...(config.moPattern ? { moIdPattern: config.moPattern } : {}),
    });

    const link = new LinkState(({ up, problem }) => (up ? node.log(t('status.back')) : node.error(problem)));
    const onLost = (): void => link.isDown(t('status.offline'));
    const onBack = (): void => link.isUp();
    endpoint.on('disconnect', onLost);
    endpoint.on('connect', onBack);

    return {
      links: [link],
      close: () => {
        reader.close();
        endpoint.off('disconnect', onLost);
        endpoint.off('connect', onBack);
      },
      run: async (_msg, { signal }) => {
        const result = await reader.read(signal).catch((error: unknown) => {
          if (error instanceof PlcError) link.isDown(error.message);
          throw error;
        });
        link.isUp();
        const { readings, rejected, empty } = result;
        for (const { slot, mo_id, problems } of rejected) {
          for (const { field, problem, value } of problems) {
            node.warn(t('status.rejected-one', { slot, mo_id: mo_id ?? '?', field, problem, value: String(value) }));
          }
        }
        for (const { slot, mo_id, falling } of readings) {
          if (falling) node.warn(t('status.falling', { slot, mo_id, silos: falling.join(', ') }));
        }
        const completed = readings.filter(({ status_manufacturing }) => status_manufacturing).length;
        return {
          outputs: [{ payload: readings, read: result }, rejected.length > 0 ? { payload: rejected } : undefined],
          status: {
            level: rejected.length > 0 ? 'attention' : 'ok',
            text: t(rejected.length > 0 ? 'status.read-rejected' : 'status.read', { count: readings.length, completed, rejected: rejected.length, empty, at: clock() }),
          },
        };
      },
    };
  });
};
