/**
 * `npm run -s conformance -- FILE`: plays every recorded exchange of FILE to the package and prints one line each,
 * name, tab, conclusion.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { playExchange } from './support/play-exchange';
import type { Exchange } from './support/recorded-odoo';

async function main(): Promise<void> {
  const [file] = process.argv.slice(2);
  if (!file) throw new Error('name the file of exchanges: npm run -s conformance -- FILE');
  // npm starts this in the project's root, whatever folder the person who named the file is in.
  const exchanges = JSON.parse(readFileSync(resolve(process.env['INIT_CWD'] ?? '.', file), 'utf8')) as Exchange[];
  for (const exchange of exchanges) {
    try {
      process.stdout.write(`${exchange.name}\t${await playExchange(exchange)}\n`);
    } catch (error) {
      // One that cannot be played is told, and does not keep the others from being played.
      complain(`${exchange.name}: ${(error as Error).message}`);
    }
  }
}

function complain(problem: string): void {
  process.stderr.write(`conformance: ${problem}\n`);
  process.exitCode = 1;
}

main().catch((error: Error) => complain(error.message));
