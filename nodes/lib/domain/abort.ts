/**
 * Many that wait for one abort: a signal warns of a leak from its eleventh listener on, and a hundred rows in a queue are none.
 */
interface Waiting {
  ends: Set<() => void>;
  listener: () => void;
}

const WAITING = new WeakMap<AbortSignal, Waiting>();

/**
 * Calls `end` when the signal is aborted, at once when it is already.
 * @returns the way out, for when it no longer matters; the signal keeps no listener after the last one has left
 */
export function onAbort(signal: AbortSignal | undefined, end: () => void): () => void {
  if (!signal) return () => undefined;
  if (signal.aborted) {
    end();
    return () => undefined;
  }
  const waiting = WAITING.get(signal) ?? listenTo(signal);
  // The same function given twice is two.
  const own = (): void => end();
  waiting.ends.add(own);
  return () => {
    waiting.ends.delete(own);
    if (waiting.ends.size > 0) return;
    signal.removeEventListener('abort', waiting.listener);
    if (WAITING.get(signal) === waiting) WAITING.delete(signal);
  };
}

function listenTo(signal: AbortSignal): Waiting {
  const ends = new Set<() => void>();
  const listener = (): void => {
    for (const end of ends) end();
  };
  const waiting = { ends, listener };
  WAITING.set(signal, waiting);
  signal.addEventListener('abort', listener, { once: true });
  return waiting;
}
