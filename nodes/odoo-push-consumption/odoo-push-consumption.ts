import type { NodeAPI, NodeDef } from 'node-red';
import type { DatabaseNode, OdooServerNode, SiloMapNode } from '../lib/config-nodes';
import { checkManual, invalidAnswer, manualAnswer, type ManualOperation } from '../lib/domain/manual-request';
import { clock, registerAction, requireNode, type Context, type Input, type Outcome } from '../lib/node-shell';
import { DELIVERY_DEFAULTS } from '../lib/odoo/delivery';
import { type PushResult, PushService } from '../lib/odoo/push';

interface Config extends NodeDef {
  server: string;
  database: string;
  silos: string;
  operation: ManualOperation;
  markDone: boolean;
  readBack: boolean;
  closeWarning: boolean;
  closeStrict: boolean;
  minFinishedShare: string | number;
  noFinishedWeight: 'set-aside' | 'planned' | 'sum';
}

type Named = { id?: string; mo_id?: string };

export = function (RED: NodeAPI) {
  registerAction<Config>(RED, 'odoo-push-consumption', { whileBusy: 'queue' }, (node, config, t) => {
    const server = requireNode<OdooServerNode>(RED, config.server, t, t('label.server'));
    const { client, limiter } = server.connection();
    const silos = requireNode<SiloMapNode>(RED, config.silos, t, t('label.silos')).map();
    const database = config.database ? requireNode<DatabaseNode>(RED, config.database, t, t('label.database')) : undefined;
    const link = database?.database();
    const share = Number(config.minFinishedShare ?? '');
    const options = {
      ...DELIVERY_DEFAULTS,
      readBack: config.readBack ?? DELIVERY_DEFAULTS.readBack,
      closeWarning: config.closeWarning ?? DELIVERY_DEFAULTS.closeWarning,
      closeStrict: config.closeStrict ?? DELIVERY_DEFAULTS.closeStrict,
      noFinishedWeight: config.noFinishedWeight || DELIVERY_DEFAULTS.noFinishedWeight,
      minFinishedShare: Number.isFinite(share) ? share : DELIVERY_DEFAULTS.minFinishedShare,
    };

    const tell = ({ mo_id, conclusion, reason, skipped, done, set_aside, next_attempt_at }: PushResult): void => {
      if (skipped) return;
      if (conclusion === 'confirmed') return node.log(t(done ? 'status.done-one' : 'status.confirmed-one', { mo_id }));
      const next = next_attempt_at ? t('status.next', { at: clock(next_attempt_at) }) : '';
      if (conclusion === 'credentials') return node.error(t('status.credentials', { mo_id, reason, next }));
      node.warn(t(set_aside ? 'status.aside' : 'status.failed-one', { mo_id, conclusion, reason, next }));
    };

    const processAll = async (msg: Input, { signal, progress }: Context): Promise<Outcome> => {
      if (!link) throw new Error(t('error.no-database'));
      const batches = (Array.isArray(msg.payload) ? msg.payload : [msg.payload]) as (Named | null)[];
      const rows = batches.filter((batch): batch is Named => Boolean(batch && (batch.id || batch.mo_id)));
      const push = new PushService(client, limiter, silos, options, signal);
      let finished = 0;
      const results = await Promise.all(
        rows.map(async ({ id, mo_id }) => {
          const which = id ? { id } : { mo_id: mo_id as string };
          const pushed = await link.use(({ ledger }) => push.process(ledger, which, Boolean(config.markDone)));
          finished += 1;
          progress(t('status.pushing', { finished, count: rows.length }));
          tell(pushed);
          return pushed;
        }),
      );
      const confirmed = results.filter(({ conclusion }) => conclusion === 'confirmed');
      const open = results.filter(({ conclusion }) => conclusion !== 'confirmed');
      const failed = open.filter(({ skipped }) => !skipped);
      const next = failed.map(({ next_attempt_at }) => next_attempt_at?.getTime() ?? Infinity).reduce((a, b) => Math.min(a, b), Infinity);
      const values = { confirmed: confirmed.length, open: failed.length, at: clock() };
      return {
        outputs: [confirmed.length > 0 ? { payload: confirmed } : undefined, open.length > 0 ? { payload: open } : undefined],
        status: {
          level: failed.length > 0 ? 'attention' : rows.length > 0 ? 'ok' : 'idle',
          text: Number.isFinite(next)
            ? t('status.waiting', { ...values, next: clock(new Date(next)).slice(0, 5) })
            : t(failed.length > 0 ? 'status.pushed-some' : 'status.pushed', values),
        },
      };
    };

    const manual = async (operation: ManualOperation, msg: Input, { signal }: Context): Promise<Outcome> => {
      const { request, problems } = checkManual(operation, msg.payload);
      if (problems) {
        const fields = problems.map(({ field, problem }) => `${field} ${problem}`).join('; ');
        node.warn(t('status.invalid', { problems: fields }));
        return { outputs: [undefined, invalidAnswer(problems)], status: { level: 'attention', text: t('status.invalid', { problems: fields }) } };
      }
      const push = new PushService(client, limiter, silos, options, signal);
      const outcome = link
        ? await link.use(({ ledger }) => push.manual(ledger, request)).catch(async (error: Error) => {
            // Without a reachable database a manual call still goes through, and says that nothing was saved.
            node.error(t('status.not-saved', { mo_id: request.mo_id, reason: error.message }));
            return push.manual(null, request);
          })
        : await push.manual(null, request);
      if (outcome.warning) node.warn(t('status.warning', { mo_id: request.mo_id, reason: outcome.warning }));
      tell(outcome);
      const { equipment_id } = msg.payload as { equipment_id?: string };
      const answer = manualAnswer(operation, request, outcome, equipment_id);
      const ok = outcome.conclusion === 'confirmed';
      const text = t(ok ? 'status.confirmed-one' : 'status.failed-one', { ...outcome, next: '' });
      return { outputs: ok ? [answer] : [undefined, answer], status: { level: ok ? 'ok' : 'attention', text } };
    };

    const run = (msg: Input, context: Context): Promise<Outcome> => {
      const request = msg.payload as { batch_data?: unknown } | null;
      const byHand = config.operation !== 'process' || (request && typeof request === 'object' && 'batch_data' in request);
      return byHand ? manual(config.operation, msg, context) : processAll(msg, context);
    };
    return { links: [server.link, ...(database ? [database.link] : [])], run };
  });
};
