/**
 * What action nodes tell while they work, over node:diagnostics_channel: it costs nothing as long as nobody listens, and
 * whoever else runs in this Node-RED may listen too.
 */
import { channel } from 'node:diagnostics_channel';
import type { Conclusion } from '../domain/conclusion';
import type { PlcErrorKind } from '../plc/plc-errors';
import type { SlotProblem } from '../plc/slot-problem';

/** A push that was tried. */
export interface PushTold {
  /** Id of the mo-database node; none: a call by hand without a database. */
  database?: string;
  conclusion: Conclusion;
  /** From its turn among the parallel pushes to its outcome; undefined: it ended without one. */
  seconds: number | undefined;
}

/** One read of the PLC: how long it took and what was refused, or how it failed. */
export type ReadTold = { reader: string } & (
  | { seconds: number; rejected: readonly { problems: readonly SlotProblem[] }[]; failed?: undefined }
  | { failed: PlcErrorKind }
);

export const PUSH_CHANNEL = 'mo-bridge:push';
export const READ_CHANNEL = 'mo-bridge:read';

const pushes = channel(PUSH_CHANNEL);
const reads = channel(READ_CHANNEL);

export const tellPush = (told: PushTold): void => pushes.publish(told);
export const tellRead = (told: ReadTold): void => reads.publish(told);
