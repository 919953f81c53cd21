/**
 * What a person wants to know of a standard Odoo before deploying: does the login work, which generation is it, what may the
 * user do, what can be weighed there.
 */
import { OdooError } from '../../domain/odoo-orders';
import { OdooHttp } from '../http';
import { type Survey, survey, type SurveyedLine } from '../survey';
import { StandardOrders } from './orders';
import type { SiloKey } from './reader';
import { missingRights, type Right } from './rights';
import type { StandardAddress } from './rpc';

export interface StandardProbe {
  user: string;
  /** Version of Odoo, e.g. "17.0"; '' where it does not tell. */
  server: string;
  /** Where Odoo was found. */
  url: string;
  /** Without these nothing will work, and nothing else was asked. */
  missing: Right[];
  /** What is open, line by line; of all lines when none was given. */
  lines: Survey[];
  standard?: {
    /** Versions of Odoo that have these fields. */
    versions: string;
    /** The SCADA addon answers, too. */
    addonThere: boolean;
    /** Days until the first API key of the user ends, where Odoo tells; below 0: it has. */
    daysLeft?: number;
  };
}

/** Logs in once, reads, and changes nothing. @throws OdooError saying what is wrong and what to do */
export async function probeStandard(
  address: StandardAddress,
  silo: SiloKey,
  lines: readonly SurveyedLine[],
): Promise<StandardProbe> {
  const odoo = new StandardOrders(address, silo);
  try {
    const version = await odoo.rpc.version();
    if (version.concluded && !address.isKey) throw new OdooError('Asking for the version', version.concluded);
    const missing = await missingRights(odoo.rpc, () => odoo.reader.generation());
    const who = { user: address.user, server: version.result?.server_version ?? '', url: odoo.rpc.url, missing };
    if (missing.length > 0) return { ...who, lines: [] };
    const { versions } = await odoo.reader.generation();
    const daysLeft = await odoo.keyDaysLeft();
    const standard = {
      ...{ versions, addonThere: await hasAddon(address) },
      ...(daysLeft === undefined ? {} : { daysLeft }),
    };
    const surveys: Survey[] = [];
    for (const line of lines.length > 0 ? lines : [{ line: '' }]) surveys.push(await survey(odoo, line));
    return { ...who, lines: surveys, standard };
  } finally {
    odoo.close();
  }
}

/** The addon answers its version's route with JSON, if only to say that there is no session. */
async function hasAddon(address: StandardAddress): Promise<boolean> {
  const http = new OdooHttp(address, () => performance.now());
  try {
    const { answer } = await http.send('/api/scada/version', {}, { method: 'GET' });
    return answer.kind === 'answer' && answer.status === 200 && /^\s*\{/.test(answer.body);
  } finally {
    http.close();
  }
}
