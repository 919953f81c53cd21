/** What an audit says beside its figures: codes and their values; whoever shows it finds the words in a locale. */
export interface Phrase {
  code: string;
  /** A list of phrases is a part of the sentence. */
  values: Readonly<Record<string, string | number | Said>>;
}

/** One after the other; a plain text stands as it was stored: Odoo's reason, a person's note. */
export type Said = readonly (Phrase | string)[];

export const phrase = (code: string, values: Phrase['values'] = {}): Phrase => ({ code, values });
