/** Recorded exchanges of either contract, told apart by what they are about. */
import { type Played, playExchange } from './play-exchange';
import { playStandard } from './play-standard';
import type { Exchange } from './recorded-odoo';
import type { StandardExchange } from './standard-exchanges';

/** Whether a file of exchanges is of an Odoo with the addon: it has the addon's routes, and orders by their silos. */
const ofAddon = (exchanges: readonly Exchange[]): boolean =>
  exchanges.some(
    ({ request, stateAfter }) => request.path.startsWith('/api/') || (stateAfter && 'raw_done' in stateAfter),
  );

/** @param recorded the contents of a file of exchanges */
export function playRecorded(recorded: unknown): { name: string; play: () => Promise<Played> }[] {
  const exchanges = recorded as Exchange[];
  if (ofAddon(exchanges))
    return exchanges.map((exchange) => ({ name: exchange.name, play: () => playExchange(exchange) }));
  return (recorded as StandardExchange[]).map((exchange) => ({
    name: exchange.name,
    play: () => playStandard(exchange),
  }));
}
