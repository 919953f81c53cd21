/** A database of its own and a role that may connect to it and nothing else: what an administrator hands out. */
import { randomBytes } from 'node:crypto';
import type { TestContext } from 'node:test';
import { type ConnectionData, queryOnce, testDatabase } from './cluster';

export interface Role {
  /** As the superuser. */
  server: ConnectionData;
  /** As the role. */
  address: ConnectionData;
  role: string;
  /** Runs a statement as the superuser. */
  sql: (text: string) => Promise<unknown[]>;
}

export async function plainRole(t: TestContext): Promise<Role> {
  const created = await testDatabase();
  const role = `role_${randomBytes(5).toString('hex')}`;
  const { host, port, user, password, database } = created;
  const server = { host, port, user, password, database };
  const sql = (text: string) => queryOnce(server, text);
  await sql(`CREATE ROLE ${role} LOGIN PASSWORD 'its-secret'`);
  t.after(async () => {
    await created.drop();
    await queryOnce({ ...server, database: 'postgres' }, `DROP ROLE ${role}`);
  });
  return { server, role, sql, address: { ...server, user: role, password: 'its-secret' } };
}
