/**
 * The operation `health` of the batch store: alarms as messages that can be wired to mail, Teams or MQTT as they are,
 * one when an alarm begins and one when it ends.
 */
import type { Node, NodeDef } from 'node-red';
import type { DatabaseNode } from '../lib/node-red/config-nodes';
import { type Action, clock, type Context } from '../lib/node-red/node-shell';
import type { Alarm, AlarmLimits } from '../lib/store/watch';
import { moment, where } from './where';

/** The dialog's fields, as they are saved. */
export interface HealthConfig extends NodeDef, Partial<Record<keyof AlarmLimits, string | number>> {
  line?: string;
}

/** A year: more is a mistake (minutes). */
const LONGEST = 525_600;

/** One limit of the dialog. @throws Error naming the field that is no number of minutes */
export function minutesOf(config: HealthConfig, kind: keyof AlarmLimits, t: Context['t']): number {
  const minutes = Number(config[kind]);
  if (minutes > 0 && minutes <= LONGEST) return minutes;
  throw new Error(t('error.minutes-value', { label: t(`label.${kind}`), minutes: String(config[kind]) }));
}

const limitsOf = (config: HealthConfig, t: Context['t']): AlarmLimits => ({
  stalled: minutesOf(config, 'stalled', t),
  unread: minutesOf(config, 'unread', t),
  unconfirmed: minutesOf(config, 'unconfirmed', t),
  handed: minutesOf(config, 'handed', t),
});

/** What a person is asked about a hand-over, or that the order simply waits. */
const whyNotTaken = ({ reason }: Alarm, t: Context['t']): string =>
  reason ? t(`handover.${reason}`) : t('alarm.offered');

const HELD_FOR: Readonly<Record<string, string>> = { 'foreign-weights': 'foreign', 'seen-once': 'once' };
/** Why, in words where it is a code. */
const whyOf = ({ kind, reason }: Alarm, t: Context['t']): string =>
  kind === 'held'
    ? t(`alarm.held.${HELD_FOR[reason ?? ''] ?? (reason ? 'other' : 'unknown')}`, { reason })
    : (reason ?? t('alarm.no-reason'));

/** `topic` is the kind, `payload` says what, where, since when and what to do next. */
const message = (alarm: Alarm, t: Context['t'], here: (time: string) => Date): object => ({
  topic: alarm.kind,
  payload: t(`alarm.${alarm.state}.${alarm.kind}`, {
    where:
      alarm.kind === 'unread' ? t(alarm.line ? 'alarm.line' : 'alarm.no-line', { line: alarm.line }) : where(alarm, t),
    since: moment(here(alarm.since)),
    ended: moment(here(alarm.ended_at ?? alarm.since)),
    reason: alarm.kind === 'not-taken' ? whyNotTaken(alarm, t) : whyOf(alarm, t),
  }),
  alarm,
});

/**
 * Tells what has begun and what is over since the last trigger. Nodes of the same id and line share what was told: a flow
 * that runs on two Node-REDs tells once.
 * @throws Error naming the first field of the dialog that is wrong
 */
export function healthAction(database: DatabaseNode, config: HealthConfig, node: Node, t: Context['t']): Action {
  const link = database.database();
  const limits = limitsOf(config, t);
  return {
    links: [database.link],
    run: async () => {
      const { news, open, sent } = await link.use(({ watch }) => watch.news(node.id, limits, config.line));
      const text = t(open > 0 ? 'status.alarms' : 'status.no-alarm', { count: open, at: clock() });
      return {
        outputs: [news.map((alarm) => message(alarm, t, (time) => link.here(time)))],
        status: { level: open > 0 ? 'failed' : 'ok', text },
        sent: () => link.use(sent),
      };
    },
  };
}
