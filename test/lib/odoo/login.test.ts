import assert from 'node:assert/strict';
import { test } from 'node:test';
import { concluded } from '../../../nodes/lib/domain/conclusion';
import { LoginPause } from '../../../nodes/lib/odoo/login';

const REFUSED = concluded('credentials', 'wrong password');

test('refused credentials are kept from Odoo for a minute, then twice as long each time, up to half an hour', () => {
  let now = 0;
  const pause = new LoginPause(() => now);
  const told = () => pause.waiting;
  assert.equal(told(), undefined);
  for (const minutes of [1, 2, 4, 8, 16, 30, 30]) {
    pause.refuse(REFUSED);
    assert.equal(told()?.conclusion, 'credentials');
    assert.match(String(told()?.reason), new RegExp(`^wrong password \\(next login in ${minutes * 60} s`));
    now += minutes * 60_000;
    assert.equal(told(), undefined);
  }
});

test('credentials that were taken end the pause and its growth; an outage begins none', () => {
  const pause = new LoginPause(() => 0);
  const told = () => pause.waiting;
  pause.refuse(concluded('unavailable', 'no answer'));
  assert.equal(told(), undefined);
  pause.refuse(REFUSED);
  pause.end();
  assert.equal(told(), undefined);
  pause.refuse(REFUSED);
  assert.match(String(told()?.reason), /next login in 60 s/);
});
