/**
 * Steering the simulated Odoo from another process, under `/__plant/odoo/`, JSON in and out:
 * GET orders, orders/<name>, done/<name>, calls, concurrency · POST orders (an order to create), cancel {name},
 * done {name}, backorder {name, quantity}, unreserve {name}, rename {name, to}, consumed {name, code, kg}, units (a unit),
 * collide {collisions}, faults (a fault to set), down {ms} · DELETE faults.
 */
import type { HttpRequest } from './http';
import type { Collisions } from './closing';
import { FAULT_KINDS } from './faults';
import type { Fault } from './faults';
import { isObject, parseJson } from './python';
import type { Params } from './python';
import type { Steering } from './server';
import type { SimulatedOdoo } from './simulator';

const ROOT = '/__plant/odoo/';

function json(status: number, value: unknown) {
  return { answer: { status, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(value) } };
}

function act(odoo: SimulatedOdoo, verb: string, name: string, params: Params): unknown {
  switch (verb) {
    case 'GET orders':
      return name === '' ? odoo.orders() : odoo.order(name);
    case 'GET done':
      return odoo.done(name);
    case 'GET calls':
      return odoo.calls;
    case 'GET concurrency':
      return { max: odoo.maxConcurrentPerOrder() };
    case 'POST orders':
      return odoo.createOrder(params);
    case 'POST cancel':
      odoo.cancel(String(params.name));
      return odoo.order(String(params.name));
    case 'POST done':
      odoo.markDoneByHand(String(params.name));
      return odoo.order(String(params.name));
    case 'POST consumed':
      odoo.consumeByHand(String(params.name), String(params.code), Number(params.kg));
      return odoo.done(String(params.name));
    case 'POST collide':
      odoo.collide(params.collisions as Collisions);
      return params;
    case 'POST backorder':
      return odoo.backorderByHand(String(params.name), Number(params.quantity));
    case 'POST unreserve':
      odoo.unreserveByHand(String(params.name));
      return odoo.order(String(params.name));
    case 'POST rename':
      odoo.renameByHand(String(params.name), String(params.to));
      return odoo.order(String(params.to));
    case 'POST units':
      return odoo.defineUnit(params as unknown as Parameters<SimulatedOdoo['defineUnit']>[0]);
    case 'POST faults':
      odoo.setFault(params as unknown as Fault);
      return { kinds: FAULT_KINDS };
    case 'DELETE faults':
      odoo.clearFaults();
      return { kinds: FAULT_KINDS };
    case 'POST down':
      return { ms: Number(params.ms ?? 1000) };
    default:
      return undefined;
  }
}

/**
 * Answers a control request; undefined when the path is none of ours. What cannot be done is answered with 400 and
 * `{"error": reason}`.
 */
export function control(odoo: SimulatedOdoo, request: HttpRequest): ReturnType<Steering> {
  if (!request.path.startsWith(ROOT)) return undefined;
  const [what = '', ...name] = decodeURIComponent(request.path.slice(ROOT.length)).split('/');
  const verb = `${request.method} ${what}`;
  try {
    const params = request.body === '' ? {} : parseJson(request.body);
    if (!isObject(params)) return json(400, { error: 'send a JSON object' });
    const value = act(odoo, verb, name.join('/'), params);
    if (value === undefined) return json(404, { error: `no control ${verb}` });
    // The outage begins when its own answer has left.
    if (verb === 'POST down') return { ...json(200, value), then: () => void odoo.outage(Number(params.ms ?? 1000)) };
    return json(200, value);
  } catch (error) {
    return json(400, { error: error instanceof Error ? error.message : String(error) });
  }
}
