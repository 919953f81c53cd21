import type { NodeAPI, NodeDef } from 'node-red';
import type { DatabaseNode, OdooServerNode, SiloMapNode } from '../lib/node-red/config-nodes';
import { bounded } from '../lib/node-red/bounded';
import { checkManual, invalidAnswer, manualAnswer, type ManualOperation } from './manual-api';
import { clock, registerAction, requireNode, type Context, type Input, type Outcome } from '../lib/node-red/node-shell';
import { DELIVERY_DEFAULTS } from '../lib/push/delivery';
import type { CorrectionResult } from '../lib/push/correction';
import { PushService } from '../lib/push/push';
import { type ListedResult, type Named, PushList } from '../lib/push/push-list';
import { tellPush } from '../lib/node-red/telemetry';

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
  minWeighedShare: string | number;
  bookUnweighed: boolean;
  unreserve: boolean;
  noFinishedWeight: 'set-aside' | 'planned' | 'sum';
}

/** %: blank, and what is no number, is the standard: 0 would close any order. */
const FINISHED = { standard: DELIVERY_DEFAULTS.minFinishedShare ?? 100, least: 0, most: 100 };
const WEIGHED = { standard: DELIVERY_DEFAULTS.minWeighedShare, least: 0, most: 100 };

/** A wait for its turn to be closed that is told (s). */
const LONG_WAIT = 60;

/** The batches of a message; undefined when something else is among them. */
function batchesIn({ payload }: Input): Named[] | undefined {
  const list = (Array.isArray(payload) ? payload : [payload]) as ({ id?: unknown; mo_id?: unknown } | null)[];
  const isNamed = (batch: (typeof list)[number]): boolean =>
    typeof batch?.id === 'string' || typeof batch?.mo_id === 'string';
  return list.every(isNamed) ? (list as Named[]) : undefined;
}

/** The answer to a manual call that could not be begun: nothing was sent. */
const unavailable = ({ message }: Error): object => ({ statusCode: 503, payload: { status: 'error', message } });

/** Who waits for an HTTP answer gets one also from a node that is not configured. */
const unconfigured = (error: Error, msg: Input): Outcome['outputs'] =>
  'res' in msg ? [undefined, unavailable(error)] : [];

export = function (RED: NodeAPI) {
  registerAction<Config>(RED, 'odoo-push-consumption', { whileBusy: 'together', unconfigured }, (node, config, t) => {
    const server = requireNode<OdooServerNode>(RED, config.server, t, t('label.server'));
    const { client, limiter } = server.connection();
    const silos = requireNode<SiloMapNode>(RED, config.silos, t, t('label.silos')).map();
    const database = config.database
      ? requireNode<DatabaseNode>(RED, config.database, t, t('label.database'))
      : undefined;
    const link = database?.database();
    const { readBack, closeWarning, closeStrict, noFinishedWeight, bookUnweighed, unreserve } = config;
    const options = {
      ...{ readBack, closeWarning, closeStrict, noFinishedWeight, bookUnweighed, unreserve },
      minFinishedShare: bounded(node, t, 'minFinishedShare', config.minFinishedShare, FINISHED),
      minWeighedShare: bounded(node, t, 'minWeighedShare', config.minWeighedShare, WEIGHED),
    };

    const list = new PushList();

    const count = ({ conclusion, skipped }: ListedResult, seconds?: number): void => {
      if (!skipped) tellPush({ ...(database ? { database: database.id } : {}), conclusion, seconds });
    };

    // By the clock of this machine, which people see.
    const shown = (time: Date): Date => link?.here(time) ?? time;

    const tell = ({
      mo_id,
      conclusion,
      reason,
      skipped,
      done,
      set_aside,
      next_attempt_at,
      ...more
    }: ListedResult): void => {
      if (more.overwritten) node.warn(t('status.overwritten', { mo_id, reason: more.overwritten }));
      if (skipped === 'closings') node.warn(t('status.warning', { mo_id, reason }));
      if (skipped) return;
      const { waited = 0 } = more;
      if (waited > LONG_WAIT) node.log(t('status.waited', { mo_id, seconds: Math.round(waited) }));
      if (conclusion === 'confirmed') return node.log(t(done ? 'status.done-one' : 'status.confirmed-one', { mo_id }));
      const next = next_attempt_at ? t('status.next', { at: clock(shown(next_attempt_at)) }) : '';
      if (conclusion === 'credentials') return node.error(t('status.credentials', { mo_id, reason, next }));
      node.warn(t(set_aside ? 'status.aside' : 'status.failed-one', { mo_id, conclusion, reason, next }));
    };

    const processAll = async (msg: Input, { signal, progress }: Context): Promise<Outcome> => {
      if (!link) throw new Error(t('error.no-database'));
      const rows = batchesIn(msg);
      if (!rows) throw new Error(t('error.batches'));
      const push = new PushService(client, limiter, silos, options, signal);
      // Each status goes to every open editor: twenty of them show how far it is.
      const step = Math.ceil(rows.length / 20);
      const results = await list.run(
        rows,
        (which) => link.use(({ ledger }) => push.process(ledger, which, Boolean(config.markDone))),
        signal,
        ({ result, failure }, finished) => {
          if (!failure) {
            count(result, result.seconds);
            tell(result);
          }
          if (finished % step === 0) progress(t('status.pushing', { finished, count: rows.length }));
        },
      );
      const failures = results.flatMap(({ failure }) => failure ?? []);
      if (failures[0] && failures.length === rows.length) throw failures[0];
      const all = results.map(({ result }) => result);
      const confirmed = all.filter(({ conclusion }) => conclusion === 'confirmed');
      const open = all.filter(({ conclusion }) => conclusion !== 'confirmed');
      const failed = open.filter(({ skipped }) => !skipped);
      const next = failed.reduce((first, row) => Math.min(first, row.next_attempt_at?.getTime() ?? Infinity), Infinity);
      const values = { confirmed: confirmed.length, open: failed.length, at: clock() };
      const error = signal.aborted ? new Error(t('error.closed')) : failures[0];
      return {
        outputs: [
          confirmed.length > 0 ? { payload: confirmed } : undefined,
          open.length > 0 ? { payload: open } : undefined,
        ],
        status: {
          level: failed.length > 0 ? 'attention' : rows.length > 0 ? 'ok' : 'idle',
          text: Number.isFinite(next)
            ? t('status.waiting', { ...values, next: clock(shown(new Date(next))).slice(0, 5) })
            : t(failed.length > 0 ? 'status.pushed-some' : 'status.pushed', values),
        },
        ...(error ? { error } : {}),
      };
    };

    const manual = async (operation: ManualOperation, msg: Input, { signal }: Context): Promise<Outcome> => {
      const { request, problems } = checkManual(operation, msg.payload);
      if (problems) {
        const text = t('status.invalid', {
          problems: problems.map(({ field, problem }) => `${field} ${problem}`).join('; '),
        });
        node.warn(text);
        return { outputs: [undefined, invalidAnswer(problems)], status: { level: 'attention', text } };
      }
      const { mo_id } = request;
      const { equipment_id } = msg.payload as { equipment_id?: string };
      const push = new PushService(client, limiter, silos, options, signal);
      let outcome: CorrectionResult;
      const began = performance.now();
      try {
        // Without a reachable queue nobody knows whether the batch is locked or being pushed: nothing is sent then.
        await link?.use(({ batches }) => batches.idsOf(mo_id));
        outcome = await (link ? link.use(({ ledger }) => push.manual(ledger, request)) : push.manual(null, request));
      } catch (thrown) {
        const error = thrown as Error;
        // What was sent never ends in an exception: nothing was.
        const outputs = [undefined, unavailable(signal.aborted ? new Error(t('error.closing')) : error)];
        return { outputs, status: { level: 'failed', text: error.message }, error };
      }
      count(outcome, (performance.now() - began) / 1000);
      const { warning, db_saved, conclusion } = outcome;
      if (warning) node[outcome.id ? 'error' : 'warn'](t('status.warning', { mo_id, reason: warning }));
      if (outcome.locked) node.log(t('status.locked', { mo_id }));
      else tell(outcome);
      if (db_saved && request.consumption) {
        node.log(t('status.saved', { mo_id, entries: Object.keys(request.consumption).length }));
      }
      if (db_saved && request.markDone) node.log(t('status.saved-done', { mo_id, finished: request.finished }));
      const answer = manualAnswer(operation, request, outcome, equipment_id);
      const ok = conclusion === 'confirmed';
      const text = t(ok ? 'status.confirmed-one' : 'status.failed-one', { ...outcome, next: '' });
      return {
        outputs: ok ? [answer] : [undefined, answer],
        status: { level: ok ? 'ok' : 'attention', text },
        ...(signal.aborted ? { error: new Error(t('error.closed')) } : {}),
      };
    };

    const run = (msg: Input, context: Context): Promise<Outcome> => {
      const { payload } = msg;
      const asked = typeof payload === 'object' && payload !== null && 'batch_data' in payload;
      // Who waits for an HTTP answer is answered by the rules of the manual API, whatever was sent.
      const byHand = config.operation !== 'process' || 'res' in msg || asked;
      return byHand ? manual(config.operation, msg, context) : processAll(msg, context);
    };
    return { links: [server.link, ...(database ? [database.link] : [])], run };
  });
};
