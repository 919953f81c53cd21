/**
 * What brings a database to today's tables. What is missing is added, nothing is renamed or dropped; each migration runs once,
 * in a transaction, and is safe to run again.
 */
import { sql as queueHistoryEvents } from './0001-queue-history-events';
import { sql as alarms } from './0002-alarms';
import { sql as edges } from './0003-edges';
import { sql as anyPlant } from './0004-any-plant';
import { sql as people } from './0005-people';

/** In order; the number is the position, from 1. Never edit one that was released: add another. */
export const MIGRATIONS: readonly { name: string; sql: string }[] = [
  { name: 'queue, history, events', sql: queueHistoryEvents },
  { name: 'alarms', sql: alarms },
  { name: 'edges', sql: edges },
  { name: 'any plant', sql: anyPlant },
  { name: 'people', sql: people },
];

/** The newest schema. */
export const SCHEMA = MIGRATIONS.length;
