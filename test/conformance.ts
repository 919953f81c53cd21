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
  for (const exchange of exchanges) process.stdout.write(`${exchange.name}\t${await playExchange(exchange)}\n`);
}

main().catch((error: Error) => {
  process.stderr.write(`conformance: ${error.message}\n`);
  process.exitCode = 1;
});
