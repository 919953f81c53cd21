/** The port of the built-in server: kept from start to start, so that other programs find it. */
import { once } from 'node:events';
import { readFile, rename } from 'node:fs/promises';
import { createServer } from 'node:net';
import { type ClusterPlace, HOST, writeDurably } from './cluster';

/** First port tried: PostgreSQL's 5432 plus 10000, below the ports that systems hand out to outgoing connections. */
const FIRST_PORT = 15432;

/** Replaces a small file in one step: a reader sees the old or the new text, never a part. */
async function replaceFile(path: string, text: string): Promise<void> {
  await writeDurably(`${path}.new`, text, 0o600);
  await rename(`${path}.new`, path);
}

async function isFree(port: number): Promise<boolean> {
  const probe = createServer();
  try {
    probe.listen(port, HOST);
    await once(probe, 'listening');
    return true;
  } catch {
    return false; // in use, or not allowed
  } finally {
    probe.close();
  }
}

/** The kept port when free, else the first free one that was not tried in vain; it is kept from now on. */
export async function choosePort(
  place: ClusterPlace,
  tried: Set<number>,
  log: (line: string) => void,
): Promise<number> {
  const kept = Number(await readFile(place.portFile, 'utf8').catch(() => '0'));
  let port = kept || FIRST_PORT;
  if (tried.has(port) || !(await isFree(port))) {
    port = FIRST_PORT;
    while (tried.has(port) || !(await isFree(port))) port += 1;
  }
  if (kept && port !== kept) log(`Port ${kept} is in use; the embedded PostgreSQL listens on ${port} from now on`);
  if (port !== kept) await replaceFile(place.portFile, String(port));
  return port;
}
