/** The operations of the batch store that work on the database; each answers one message. */
import { DECISIONS } from './decisions';
import { NEEDS } from './needs';
import { QUEUE } from './queue';
import { RECORDING } from './recording';
import { REPORTS } from './reports';
import { TRANSFER } from './transfer';

export const OPERATIONS = { ...QUEUE, ...RECORDING, ...DECISIONS, ...REPORTS, ...NEEDS, ...TRANSFER };
