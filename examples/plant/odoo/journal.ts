/** The simulated Odoo's memory across restarts: one JSON line per commit of an order or of a session. */
import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { Order } from './records';

/** A session that is logged in, or (`login` null) one that has ended. */
export interface SessionEntry {
  sid: string;
  login: string | null;
  db: string;
}
export type JournalEntry = { order: Order } | { session: SessionEntry };

const keyOf = (entry: JournalEntry): string => ('order' in entry ? `order ${entry.order.id}` : entry.session.sid);

/**
 * Reads a journal and writes it back with the last state of each record only. A last line that a kill cut short is
 * left out: its commit was never answered.
 * @returns the entries in the order in which the records first appeared; none when there is no file.
 */
export function openJournal(file: string): JournalEntry[] {
  if (!existsSync(file)) return [];
  const last = new Map<string, JournalEntry>();
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1);
  for (const line of lines) {
    const entry = JSON.parse(line) as JournalEntry;
    last.set(keyOf(entry), entry);
  }
  const entries = [...last.values()];
  writeFileSync(`${file}.new`, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
  renameSync(`${file}.new`, file);
  return entries;
}

/** Appends one commit, before its answer leaves: a killed process loses nothing that it has confirmed. */
export function appendJournal(file: string, entry: JournalEntry): void {
  appendFileSync(file, `${JSON.stringify(entry)}\n`);
}
