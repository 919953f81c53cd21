/** Simulated time: what is stored becomes older, so that nobody has to wait. */

/** SQL that lets so many minutes pass for everything that the database remembers, as if nothing had happened meanwhile. */
export const timePasses = (minutes: number): string => {
  const earlier = (time: string): string => `${time} - interval '${minutes} minutes'`;
  const columns = ['queued_at', 'last_read_from_plc', 'unconfirmed_since', 'set_aside_at', 'next_attempt_at'];
  return `
    UPDATE mo_held_readings SET held_since = ${earlier('held_since')}, asked_at = ${earlier('asked_at')};
    UPDATE mo_lines SET last_read_at = ${earlier('last_read_at')}, seen = coalesce(
      (SELECT jsonb_object_agg(key, ${earlier('value::timestamptz')}) FROM jsonb_each_text(seen)), '{}');
    UPDATE mo_batch SET ${columns.map((name) => `${name} = ${earlier(name)}`).join(', ')}, last_plc_reading =
      last_plc_reading || jsonb_build_object(${['read_at', 'recorded_at'].map((at) => `'${at}', ${earlier(`(last_plc_reading->>'${at}')::timestamptz`)}`).join(', ')});`;
};
