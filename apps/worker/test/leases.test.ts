import { afterAll, beforeAll, expect, it } from 'vitest';
import { until, World } from './support/world.js';

let world: World;
beforeAll(async () => {
  // A third of it is no whole number of milliseconds.
  world = await World.open({ leaseSeconds: 2.5 });
});
afterAll(() => world.close());

it('renews leases of any length in time', async () => {
  await world.start('process');
  const from = Date.now();
  const before = world.api.heartbeats;
  await until(() => world.api.heartbeats >= before + 4, 'four renewals');
  expect(Date.now() - from).toBeGreaterThan(2 * (2500 / 3));
});
