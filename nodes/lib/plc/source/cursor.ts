/** A place in the words of a source, and what is asked for there. */
import { SourceError, type SourceFault } from './fault';
import type { Token, Tokens } from './tokens';

export class Cursor {
  readonly #words: Tokens;
  #at = 0;

  constructor(words: Tokens) {
    this.#words = words;
  }

  get next(): Token {
    return this.#words.tokens[this.#at]!;
  }

  get ended(): boolean {
    return this.next.kind === 'end';
  }

  /** The word before: where a declaration ends. */
  get last(): Token {
    return this.#words.tokens[Math.max(0, this.#at - 1)]!;
  }

  /** What a comment says in this line; '' without one. */
  commentIn(line: number): string {
    return this.#words.comments.get(line) ?? '';
  }

  take(): Token {
    const token = this.next;
    if (!this.ended) this.#at += 1;
    return token;
  }

  /** Whether a keyword or sign comes next. A quoted name or a text is neither. */
  sees(...words: string[]): boolean {
    const { kind, text } = this.next;
    return (kind === 'name' || kind === 'sign') && words.includes(text.toUpperCase());
  }

  /** Takes a keyword or sign where it comes next. */
  takes(...words: string[]): boolean {
    const seen = this.sees(...words);
    if (seen) this.take();
    return seen;
  }

  /** @throws SourceError when something else comes next */
  needs(word: string): void {
    if (!this.takes(word)) throw this.fault('expected', { expected: word });
  }

  /** Takes all up to a keyword or sign, and that as well. @throws SourceError when it never comes */
  skipTo(word: string): void {
    while (!this.ended && !this.sees(word)) this.take();
    this.needs(word);
  }

  /** A fault at the next word. */
  fault(fault: SourceFault, values: Record<string, string | number> = {}): SourceError {
    return new SourceError(fault, { line: this.next.line, found: this.ended ? '…' : this.next.text, ...values });
  }
}
