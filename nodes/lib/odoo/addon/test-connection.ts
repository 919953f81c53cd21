/**
 * What a person wants to know of an Odoo before deploying: does the login work, what is there, what is missing.
 */
import { OdooClient } from './client';
import { AddonOrders } from './orders';
import { type Survey, survey, type SurveyedLine } from '../survey';
import { OdooError } from '../../domain/odoo-orders';
import type { OdooAddress } from './session';

export interface OdooProbe {
  /** Who Odoo logged in. */
  user: string;
  /** Version of Odoo, e.g. "14.0". */
  server: string;
  /** Version of the SCADA addon; absent where Odoo tells it to administrators only. */
  addon?: string;
  /** Where Odoo was found: another address than was asked when that one led there. */
  url: string;
  /** How many orders are confirmed and not begun. */
  orders: number;
  /** What is confirmed, line by line; none when no line was given. */
  lines: Survey[];
}

/** Logs in once, reads, and changes nothing. @throws Error saying what is wrong and what to do */
export async function probeOdoo(address: OdooAddress, lines: readonly SurveyedLine[] = []): Promise<OdooProbe> {
  const client = new OdooClient(address);
  try {
    const session = await client.sessionInfo();
    const addon = await client.addonVersion();
    const orders = await client.confirmedOrders();
    const surveys: Survey[] = [];
    for (const line of lines) surveys.push(await survey(new AddonOrders(client), line));
    const found = { orders: orders.length, lines: surveys, url: client.session.url };
    return { ...session, ...(addon ? { addon } : {}), ...found };
  } catch (error) {
    if (!(error instanceof OdooError) || error.concluded.conclusion !== 'credentials') throw error;
    throw new Error(`${error.message}: check user, password and database`, { cause: error });
  } finally {
    client.close();
  }
}
