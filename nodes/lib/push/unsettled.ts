/**
 * What calls by hand may have put into Odoo: left alone by every push, and settled by one look at the order before it is
 * closed.
 */
import type { PendingCall } from '../domain/batch';
import { concluded } from '../domain/conclusion';
import { describeSettled, describeUnsettled, judge, without } from '../domain/correction';
import type { PushLedger } from '../domain/ledger';
import type { SiloMap } from '../domain/silos';
import type { Delivery } from './delivery';
import { type Lease, LeaseLost } from './leased';
import type { Delivered } from './outcome';

const WAITS = 'left alone until the call is repeated, a reading tells a new value, or the order is about to be closed';

/** A delivery that is over for what is unsettled. */
export const leftAlone = (call: PendingCall, lease: Lease, silos: SiloMap, delivered?: Delivered): Delivered => ({
  ...(delivered ?? { answers: [] }),
  ...concluded('unsettled', `${describeUnsettled(call, lease.batch, silos)}: ${WAITS}`),
});

/**
 * Settles what may be known by now: of a batch that is closing, and whether an order was marked done; not earlier than one
 * time limit after the call, which Odoo may still be working on.
 * @param lease its batch is the row as it stands afterwards
 * @returns what ends the delivery here; undefined: it goes on, and leaves alone what is still unsettled
 * @throws LeaseLost
 */
export async function settleCalls(
  delivery: Delivery,
  ledger: PushLedger,
  lease: Lease,
  { timeoutMs, closing }: { timeoutMs: number; closing: boolean },
): Promise<Delivered | undefined> {
  const { batch, owner } = lease;
  const { pending_call: call, pending_ms = null } = batch;
  if (!call || !(closing || call.mark_done)) return undefined;
  // A clock that was set back binds nobody.
  const early = pending_ms !== null && pending_ms >= 0 && pending_ms < timeoutMs;
  // An order that may be done takes nothing more.
  if (early) return call.mark_done ? leftAlone(call, lease, delivery.silos) : undefined;
  const held = await delivery.look(batch);
  if ('conclusion' in held) return held;
  const { production, consumption } = held;
  if (!production || production.state === 'cancel') return undefined;
  const finished = production.state === 'done' ? production.qty_produced : production.qty_producing;
  const known = judge(call, batch, { state: production.state, finished, consumption }, delivery.silos, closing);
  const left = without(call, known.settled);
  if (left !== call) {
    const row = await ledger.settleCalls(batch, owner, known, describeSettled(known, delivery.silos));
    if (!row) throw new LeaseLost('the lease ran out');
    lease.batch = { ...row, pending_call: left, pending_ms };
  }
  if (known.strange.length === 0) return undefined;
  const reason = `a call by hand is unsettled, and Odoo holds another value: ${known.strange.join('; ')}; repeat the call with the right value, then retry`;
  return { ...concluded('undecided', reason), answers: delivery.answers };
}
