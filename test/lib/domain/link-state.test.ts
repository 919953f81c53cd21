/** The state of a link: since when it is as it is. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LinkState } from '../../../nodes/lib/domain/link-state';

test('"since" is the time of the first try, then of the last turn, not of the last problem', (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: 1_000 });
  const link = new LinkState();
  const told: number[] = [];
  const later = (act: () => void): void => {
    t.mock.timers.tick(1_000);
    act();
    told.push(link.since.getTime());
  };
  later(() => link.isUp());
  later(() => link.isDown('refused'));
  later(() => link.isDown('timeout'));
  later(() => link.isUp());
  assert.deepEqual(told, [2_000, 3_000, 3_000, 5_000]);
});

for (const [what, act] of [
  ['success', (link: LinkState) => link.isUp()],
  ['failure', (link: LinkState) => link.isDown('refused')],
] as const) {
  test(`a link is not tried before its first ${what}`, () => {
    const link = new LinkState();
    assert.equal(link.tried, false);
    act(link);
    assert.equal(link.tried, true);
  });
}
