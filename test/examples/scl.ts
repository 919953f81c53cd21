/**
 * Runs the code of a function block in SCL, as far as examples/plc uses the language: assignments, IF, FOR, AND, OR, NOT,
 * comparisons, LEN. It is no compiler: it shows what the code does, not that TIA Portal takes it.
 */
import { runInNewContext } from 'node:vm';

/** The power fails before a statement. */
export class PowerFailure extends Error {}

/** Data blocks by their name, and what is the block's own by its name without `#`. */
export interface Memory {
  blocks: Record<string, unknown>;
  own: Record<string, unknown>;
}

const CODE = /FUNCTION_BLOCK "(\w+)"[\s\S]*?\nBEGIN\n([\s\S]*?)END_FUNCTION_BLOCK/;

const expression = (scl: string): string =>
  scl
    .replace(/LEN\(([^()]+)\)/g, '($1).length')
    .replace(/"(\w+)"/g, 'blocks.$1')
    .replace(/#(\w+)/g, 'own.$1')
    .replace(/(?<![<>:=])=(?!=)/g, '===')
    .replace(/\bAND\b/g, '&&')
    .replace(/\bOR\b/g, '||')
    .replace(/\bNOT\b/g, '!')
    .replace(/\b(TRUE|FALSE)\b/g, (word) => word.toLowerCase());

/** One statement, or the beginning, middle or end of one. @throws Error for what is not understood */
function statement(scl: string): string {
  const [, keyword = '', rest = ''] = /^(IF|ELSIF|ELSE|END_IF|FOR|END_FOR)?\s*(.*)$/s.exec(scl) ?? [];
  if (keyword === 'IF') return `step(); if (${expression(rest)}) {`;
  if (keyword === 'ELSIF') return `} else if (${expression(rest)}) {`;
  if (keyword === 'ELSE') return '} else {';
  if (keyword.startsWith('END_')) return '}';
  const loop = /^(#\w+) := (.+) TO (.+)$/s.exec(rest);
  if (keyword === 'FOR' && loop) {
    const [variable, from, to] = loop.slice(1).map(expression);
    return `for (${variable} = ${from}; ${variable} <= ${to}; ${variable} += 1) {`;
  }
  const assignment = /^(.+?) := (.+)$/s.exec(rest);
  if (!assignment) throw new Error(`SCL that is not understood: ${scl}`);
  const [to, from] = assignment.slice(1).map(expression);
  return `step(); ${to} = copy(${from});`;
}

/** @returns one scan of the block; `steps`: the power fails before this statement, counted from 1 */
export function functionBlock(source: string): (memory: Memory, steps?: number) => void {
  const [, , body = ''] = CODE.exec(source.replace(/\/\/.*$/gm, '')) ?? [];
  const parts = body
    .split(/;|\bTHEN\b|\bDO\b|(?<=\bELSE\b)/)
    .map((part) => part.trim().replace(/\s+/g, ' '))
    .filter(Boolean);
  const script = parts.map(statement).join('\n');
  return (memory, steps = Infinity) => {
    let done = 0;
    const step = (): void => {
      done += 1;
      if (done === steps) throw new PowerFailure();
    };
    runInNewContext(script, { ...memory, step, copy: structuredClone });
  };
}
