/**
 * `npm run -s conformance -- FILE`: plays every recorded exchange of FILE to the package and prints one line each,
 * name, tab, conclusion. FILE is of an Odoo with the addon or of a standard one.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { playRecorded } from './support/play-recorded';

async function main(): Promise<void> {
  const [file] = process.argv.slice(2);
  if (!file) throw new Error('name the file of exchanges: npm run -s conformance -- FILE');
  // npm starts this in the project's root, whatever folder the person who named the file is in.
  const recorded: unknown = JSON.parse(readFileSync(resolve(process.env['INIT_CWD'] ?? '.', file), 'utf8'));
  for (const { name, play } of playRecorded(recorded)) {
    try {
      process.stdout.write(`${name}\t${await play()}\n`);
    } catch (error) {
      // One that cannot be played is told, and does not keep the others from being played.
      complain(`${name}: ${(error as Error).message}`);
    }
  }
}

function complain(problem: string): void {
  process.stderr.write(`conformance: ${problem}\n`);
  process.exitCode = 1;
}

main().catch((error: Error) => complain(error.message));
