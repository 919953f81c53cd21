/** What a mo-database node is set to, and what of it is still missing. */
import type { NodeDef } from 'node-red';

export interface Config extends NodeDef {
  mode: 'embedded' | 'server';
  directory: string;
  port: string | number;
  host: string;
  serverPort: string | number;
  database: string;
  tls: string;
  metrics: boolean;
}

export interface Credentials {
  user?: string;
  password?: string;
}

/** Where the stored password may go. */
export const PLACE = ['mode', 'host', 'serverPort', 'database', 'tls'] as const;

/** A port that a server can have, or blank for the usual one: there is no nearest one to take instead. */
export const isPort = (entered: unknown): boolean => {
  const port = Number(entered ?? '');
  return Number.isInteger(port) && port >= 0 && port <= 65_535;
};

/** The usual port of a PostgreSQL server. */
export const USUAL_PORT = 5432;

/**
 * The fields that a server needs and that are blank or wrong, by their labels' keys; none for the built-in one.
 * @param hasTls whether the chosen tls-config is there: one that was deleted must not leave the password to plain TCP
 */
export function missingIn(
  { mode, host, serverPort, database, tls }: Partial<Config>,
  user: string,
  hasTls: boolean,
): string[] {
  if (mode !== 'server') return [];
  const given = { host, port: isPort(serverPort), database, user, tls: !tls || hasTls };
  return Object.entries(given).flatMap(([key, value]) => (value ? [] : [key]));
}
