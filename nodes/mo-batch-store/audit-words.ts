/** The words of an audit, from the node's locale. */
import type { Audit } from '../lib/store/audit';
import type { Phrase, Said } from '../lib/store/phrase';

type Translate = (key: string, values: Record<string, unknown>) => string;

function wordsOf(t: Translate, phrase: Phrase | string): string {
  if (typeof phrase === 'string') return phrase;
  const values = Object.entries(phrase.values).map(([name, value]) => [name, isSaid(value) ? listed(t, value) : value]);
  // What a person is asked about a hand-over, the node that hands over says too.
  const key = phrase.code.startsWith('handover.') ? phrase.code : `audit.${phrase.code}`;
  return t(key, Object.fromEntries(values) as Record<string, unknown>);
}

const isSaid = (value: Phrase['values'][string]): value is Said => typeof value === 'object';
const listed = (t: Translate, said: Said): string => said.map((phrase) => wordsOf(t, phrase)).join(', ');

/** The audit as a message carries it: a text in place of what a line of the timeline, or a note, says. */
export const auditInWords = (t: Translate, { timeline, notes, ...figures }: Audit) => ({
  ...figures,
  timeline: timeline.map(({ said, ...line }) => ({ ...line, text: said.map((each) => wordsOf(t, each)).join('; ') })),
  notes: notes.map((note) => wordsOf(t, note)),
});
