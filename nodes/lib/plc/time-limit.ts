/** Waiting for the PLC, no longer than somebody wants to. */

/**
 * Waits for work no longer than the time limit or the abort; what it still brings later is dropped.
 * @param late the error when the limit (ms) passed
 */
export async function within<T>(work: Promise<T>, ms: number, ending: AbortSignal, late: () => Error): Promise<T> {
  let stop = (): void => undefined;
  const end = new Promise<never>((_, reject) => {
    const timer = setTimeout(() => reject(late()), ms);
    const onAbort = (): void => reject(ending.reason as Error);
    ending.addEventListener('abort', onAbort, { once: true });
    stop = () => {
      clearTimeout(timer);
      ending.removeEventListener('abort', onAbort);
    };
  });
  try {
    return await Promise.race([work, end]);
  } finally {
    stop();
  }
}
