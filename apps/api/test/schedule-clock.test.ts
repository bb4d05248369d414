import { scheduleRoutes } from '@mycloud/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { wantProgram } from '../../../test/support/require.js';
import { type RunningService, startRedis } from '../../../test/support/services.js';
import { openClock, type ScheduleClock } from '../src/schedules/clock.js';
import { startSchedules } from '../src/schedules/loop.js';
import { startWorld, type World } from './support/world.js';

describe.skipIf(!wantProgram('redis-server'))('the clock of schedules on Redis', () => {
  let redis: RunningService;
  let world: World;
  let clock: ScheduleClock;
  let schedules: { close(): Promise<void> };
  const params = { owner: 'lab', project: 'cats' };

  beforeAll(async () => {
    redis = await startRedis();
    world = await startWorld({ REDIS_URL: redis.url });
    const { config, log } = world.api.deps;
    clock = openClock(config, log, async () => undefined);
    schedules = startSchedules(world.api.deps);
  });
  afterAll(async () => {
    await schedules?.close();
    await clock?.close();
    await world?.close();
    await redis?.stop();
  });
  const knows = (id: string) =>
    world.until('the clock knows it', async () => {
      const known = await clock.known().catch(() => undefined);
      return known?.has(id) ? true : undefined;
    });

  it('is set again after Redis lost all it knew, and a schedule runs meanwhile', async () => {
    const schedule = await world.lab.call(scheduleRoutes.create, {
      params,
      body: { name: 'nightly', cron: '0 0 1 1 *', job: { command: 'true' } },
    });
    await knows(schedule.id);
    await redis.kill();
    // Due while there is no clock: the row is the truth, and the sweep finds it.
    await world.api.deps.pool.query(`UPDATE "Schedule" SET "nextRunAt" = now() - interval '10 seconds'`);
    const ran = await world.until('it has run', async () => {
      const { runs } = await world.lab.call(scheduleRoutes.get, { params: { ...params, name: 'nightly' } });
      return runs[0];
    });
    expect(ran).toMatchObject({ outcome: 'submitted' });
    // It keeps nothing on its disk.
    await redis.revive();
    // Whatever asks for a look at the clock next.
    await world.api.deps.hub.publish({ type: 'schedule' });
    await knows(schedule.id);
  });
});
