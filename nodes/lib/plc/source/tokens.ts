/** Splits a STEP 7 or TIA Portal source into its words, each with its line. Comments are kept aside, by line. */
import { SourceError } from './fault';

export interface Token {
  /** quoted: a name in "…"; text: a literal in '…'; end: behind the last word. */
  kind: 'name' | 'quoted' | 'number' | 'text' | 'sign' | 'end';
  /** Without its quotes. */
  text: string;
  /** From 1. */
  line: number;
}

export interface Tokens {
  tokens: readonly Token[];
  /** The comment that stands in a line, behind what it explains. */
  comments: ReadonlyMap<number, string>;
}

/**
 * One word at a time, without a gap. A slash-star comment within parentheses is TIA Portal's in several languages; a TITLE
 * goes to the end of its line without quotes, so that no word of it means anything.
 */
const WORD = new RegExp(
  [
    String.raw`(?<space>\s+|(?<=^[ \t]*)TITLE[ \t]*=[^\n]*)`,
    String.raw`(?<comment>//[^\n]*|\(\*[^]*?\*\)|\(/\*[^]*?\*/\)|/\*[^]*?\*/)`,
    String.raw`(?<open>\(\*|/\*)`,
    String.raw`"(?<quoted>[^"\n]*)"`,
    String.raw`'(?<text>(?:\$[^\n]|[^'$\n])*)'`,
    String.raw`(?<number>\d+)`,
    String.raw`(?<name>[\p{L}_][\p{L}\p{N}_]*)`,
    String.raw`(?<sign>:=|\.\.|[^])`,
  ].join('|'),
  'gimu',
);

const KINDS = ['quoted', 'text', 'number', 'name', 'sign'] as const;
const linesIn = (text: string): number => text.split('\n').length - 1;
const bare = (comment: string): string => comment.replace(/^(\/\/|\(?[*/]+)|[*/]+\)?$/g, '').trim();

/** @throws SourceError for a comment without an end */
export function tokensOf(source: string): Tokens {
  const text = source.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n');
  const tokens: Token[] = [];
  const comments = new Map<number, string>();
  let line = 1;
  for (const { 0: whole, groups = {} } of text.matchAll(WORD)) {
    if (groups.open !== undefined) throw new SourceError('unended', { line, found: whole });
    if (groups.comment !== undefined) comments.set(line, [comments.get(line), bare(whole)].filter(Boolean).join(' '));
    const kind = KINDS.find((each) => groups[each] !== undefined);
    if (kind) tokens.push({ kind, text: groups[kind]!, line });
    line += linesIn(whole);
  }
  tokens.push({ kind: 'end', text: '', line });
  return { tokens, comments };
}
