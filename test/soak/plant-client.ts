/** The plant's process from the soak's side. */
import { fork } from 'node:child_process';
import { join } from 'node:path';
import type { Commands } from './plant-process';

/** The plant's process, as functions. */
export interface PlantProcess {
  call<K extends keyof Commands>(command: K, argument?: unknown): Promise<Awaited<ReturnType<Commands[K]>>>;
  end(): void;
}

export function plantProcess(): PlantProcess {
  const child = fork(join(__dirname, 'plant-process.js'));
  const waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  child.on('message', ({ id, result, error }: { id: number; result: never; error?: string }) => {
    const call = waiting.get(id);
    waiting.delete(id);
    if (error) call?.reject(new Error(error));
    else call?.resolve(result);
  });
  let calls = 0;
  return {
    call: (command, argument) =>
      new Promise((resolve, reject) => {
        calls += 1;
        waiting.set(calls, { resolve, reject });
        child.send({ id: calls, command, argument });
      }),
    end: () => child.disconnect(),
  };
}
