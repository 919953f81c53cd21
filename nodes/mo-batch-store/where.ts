/** Where and when, as sentences for people say it. */
import type { Context } from '../lib/node-red/node-shell';

/** Date and time in the server's zone, as people in the plant read it: 2026-03-02 08:15. */
export const moment = (time: Date): string => time.toLocaleString('sv-SE', { dateStyle: 'short', timeStyle: 'short' });

/** What something is about, e.g. "MO WH/MO/00001, slot 3, line PLC01". */
export function where(
  { mo_id, slot, line }: { mo_id: string | null; slot: number | null; line: string },
  t: Context['t'],
): string {
  const about = mo_id ? t('alarm.order', { mo_id }) : t('alarm.no-order');
  return [about, ...(slot ? [t('alarm.slot', { slot })] : []), ...(line ? [t('alarm.line', { line })] : [])].join(', ');
}
