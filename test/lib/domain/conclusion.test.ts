import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONCLUSIONS, needsDecision, pauseBeforeRetry } from '../../../nodes/lib/domain/conclusion';

test('what Odoo refuses for good needs a person, what may pass is tried again after a pause', () => {
  const aside = [
    'partial',
    'unknown-order',
    'ambiguous-order',
    'order-done',
    'order-cancelled',
    'not-permitted',
    'bad-value',
    'not-done',
    'undecided',
  ];
  const retried = [
    'session',
    'credentials',
    'collided',
    'busy',
    'unavailable',
    'unsettled',
    'unknown-outcome',
    'bad-request',
    'unexplained',
  ];
  const names = Object.keys(CONCLUSIONS) as (keyof typeof CONCLUSIONS)[];
  assert.deepEqual(names.filter(needsDecision).sort(), aside.sort());
  assert.deepEqual(names.filter((name) => CONCLUSIONS[name].consequence === 'retry').sort(), retried.sort());
});

test('pauses grow with the attempts, up to half an hour before they are scattered', () => {
  const seconds = [0, 1, 2, 3, 4, 5, 6, 100].map((attempts) => pauseBeforeRetry('unavailable', attempts, 0.5) / 1000);
  assert.deepEqual(seconds, [60, 120, 240, 480, 960, 1800, 1800, 1800]);
});

test('an Odoo that comes back after an hour gets what waited over half an hour, not in one burst', () => {
  const rows = Array.from({ length: 200 }, (_, index) => pauseBeforeRetry('unavailable', 7, index / 200));
  for (let minute = 0; minute < 60; minute += 5) {
    const due = rows.filter((ms) => ms >= minute * 60_000 && ms < (minute + 5) * 60_000);
    assert.ok(due.length <= 40, `${due.length} of 200 within the five minutes from ${minute} on`);
  }
});

test('refused credentials keep no row waiting for long, however often they were refused', () => {
  assert.equal(pauseBeforeRetry('credentials', 12, 0.5), 60_000);
});
