import {
  type CreateSchedule,
  datasetRoutes,
  jobRoutes,
  scheduleRoutes as routes,
  type Schedule,
} from '@mycloud/shared';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { openClock } from '../src/schedules/clock.js';
import { nextTime } from '../src/schedules/cron.js';
import { startSchedules } from '../src/schedules/loop.js';
import { runDue } from '../src/schedules/run.js';
import { collectGarbage } from '../src/snapshots/gc/collect.js';
import { refused } from './support/refused.js';
import { at, startWorld, type TestApi, type TestWorker, type World } from './support/world.js';

let world: World;
let worker: TestWorker;
const params = { owner: 'lab', project: 'cats' };
const yearly = '0 0 1 1 *';

beforeAll(async () => {
  world = await startWorld();
  worker = await world.worker('w');
});
afterAll(() => world.close());

const loops: { close(): Promise<void> }[] = [];
const start = (api: TestApi = world.api) => loops.push(startSchedules(api.deps));
afterEach(async () => {
  for (const loop of loops.splice(0)) await loop.close();
  await world.api.deps.pool.query('DELETE FROM "Schedule"');
  for (let held = await worker.claim(); held; held = await worker.claim()) await worker.finish(held);
});

const make = (body: Partial<CreateSchedule> = {}): Promise<Schedule> =>
  world.lab.call(routes.create, { params, body: { cron: yearly, job: { command: 'true' }, ...body } });
const look = ({ name }: Schedule) => world.lab.call(routes.get, { params: { ...params, name } });
/** Its time has come, so many seconds ago. */
const due = (schedule: Schedule, secondsAgo = 0) =>
  world.api.deps.pool.query(
    `UPDATE "Schedule" SET "nextRunAt" = now() - make_interval(secs => $2) WHERE id = $1`,
    [schedule.id, secondsAgo],
  );
const runs = (schedule: Schedule, count: number) =>
  world.until(`${schedule.name} has run ${count} times`, async () => {
    const now = await look(schedule);
    return now.runs.length >= count ? now : undefined;
  });

it('submits its job at its time, which says so, and goes on to its next', async () => {
  const code = await world.snapshot();
  const schedule = await make({
    name: 'nightly',
    timezone: 'Europe/Berlin',
    job: { command: 'train', env: { KEY: 'secret' }, codeSnapshotId: code, description: 'each night' },
  });
  expect(schedule).toMatchObject({ name: 'nightly', paused: false, command: 'train', runs: [] });
  expect(JSON.stringify(schedule)).not.toContain('secret');
  await due(schedule);
  await runDue(world.api.deps, schedule.id);
  const { runs: made, nextRunAt } = await look(schedule);
  expect(made).toEqual([expect.objectContaining({ outcome: 'submitted', manual: false, message: '' })]);
  expect(Date.parse(nextRunAt!)).toBeGreaterThan(Date.now());
  const { items } = await world.lab.call(jobRoutes.list, { query: { limit: 1 } });
  expect(items[0]).toMatchObject({
    name: made[0]!.job,
    schedule: 'nightly',
    command: 'train',
    codeSnapshotId: code,
    envNames: ['KEY'],
  });
  const events = await world.lab.call(jobRoutes.events, at(items[0]!));
  expect(events.items.map(({ message }) => message)).toContain('submitted by the schedule nightly');
  expect((await worker.take()).env).toEqual({ KEY: 'secret' });
});

it('runs each time once, however many apis try and however often the clock says so', async () => {
  const second = await world.startApi();
  const schedule = await make({ overlap: 'queue' });
  for (let times = 1; times <= 5; times++) {
    await due(schedule);
    await Promise.all(
      [world.api, second, world.api, second, second].map(({ deps }) => runDue(deps, schedule.id)),
    );
    expect((await look(schedule)).runs).toHaveLength(times);
  }
  const { items } = await world.lab.call(jobRoutes.list, { query: { status: 'queued' } });
  expect(items).toHaveLength(5);
});

it('runs once for all the times that passed while nobody was there, and says that it is late', async () => {
  const schedule = await make({ cron: '* * * * *' });
  await due(schedule, 2 * 3600);
  start();
  const now = await runs(schedule, 1);
  expect(now.runs).toHaveLength(1);
  expect(now.runs[0]).toMatchObject({
    outcome: 'submitted',
    message: '120 minutes late: the server was away at its time',
  });
  expect(Date.parse(now.nextRunAt!) - Date.now()).toBeLessThanOrEqual(60_000);
});

it('skips a time while its last job has not ended, or queues another, as it was told', async () => {
  const skips = await make({ name: 'skips' });
  const queues = await make({ name: 'queues', overlap: 'queue' });
  for (let i = 0; i < 2; i++) {
    for (const schedule of [skips, queues]) {
      await due(schedule);
      await runDue(world.api.deps, schedule.id);
    }
  }
  const first = (await look(skips)).runs[1]!.job;
  expect((await look(skips)).runs[0]).toMatchObject({
    outcome: 'skipped',
    message: `${first} has not ended`,
    job: null,
  });
  expect((await look(queues)).runs.map(({ outcome }) => outcome)).toEqual(['submitted', 'submitted']);
  for (let held = await worker.claim(); held; held = await worker.claim()) await worker.finish(held);
  await due(skips);
  await runDue(world.api.deps, skips.id);
  expect((await look(skips)).runs[0]).toMatchObject({ outcome: 'submitted' });
});

it('runs nothing while it is paused, makes up for nothing afterwards, and runs now when asked', async () => {
  const schedule = await make({ name: 'paused', cron: '* * * * *' });
  const change = (paused: boolean) =>
    world.lab.call(routes.update, { params: { ...params, name: 'paused' }, body: { paused } });
  expect(await change(true)).toMatchObject({ paused: true, nextRunAt: null });
  await due(schedule, 600);
  start();
  await runDue(world.api.deps, schedule.id);
  expect((await look(schedule)).runs).toEqual([]);
  const job = await world.lab.call(routes.run, { params: { ...params, name: 'paused' } });
  expect(job).toMatchObject({ schedule: 'paused', status: 'queued' });
  expect((await look(schedule)).runs).toEqual([expect.objectContaining({ manual: true, job: job.name })]);
  const resumed = await change(false);
  expect(Date.parse(resumed.nextRunAt!)).toBeGreaterThan(Date.now());
  expect(resumed.runs).toHaveLength(1);
});

it('takes the newest version of its data, and says at which time it could not', async () => {
  const { pool } = world.api.deps;
  await world.lab.call(datasetRoutes.create, { body: { name: 'pictures' } });
  const addVersion = async (number: number) => {
    const snapshotId = await world.snapshot();
    await pool.query(
      `INSERT INTO "DatasetVersion" (id, "datasetId", number, "snapshotId")
       SELECT gen_random_uuid(), id, $1, $2 FROM "Dataset" WHERE name = 'pictures'`,
      [number, snapshotId],
    );
  };
  await addVersion(1);
  const job = { command: 'train', mounts: [{ source: 'pictures', name: 'input' }] };
  const schedule = await make({ name: 'data', job });
  await addVersion(2);
  await due(schedule);
  await runDue(world.api.deps, schedule.id);
  const submitted = await world.lab.call(jobRoutes.list, { query: { limit: 1 } });
  expect(submitted.items[0]!.mounts[0]).toMatchObject({ source: 'lab/datasets/pictures/2' });
  const held = await worker.take();
  await worker.finish(held);
  await pool.query(`DELETE FROM "Dataset" WHERE name = 'pictures'`);
  await due(schedule);
  await runDue(world.api.deps, schedule.id);
  const [failed] = (await look(schedule)).runs;
  expect(failed).toMatchObject({ outcome: 'failed', job: null });
  expect(failed!.message).toMatch(/^there is no dataset lab\/datasets\/pictures, or you may not see it/);
  expect(Date.parse((await look(schedule)).nextRunAt!)).toBeGreaterThan(Date.now());
});

it('keeps its code though no job has it, until it is deleted', async () => {
  const code = await world.snapshot();
  const schedule = await make({ name: 'keeps', job: { command: 'true', codeSnapshotId: code } });
  const { deps } = await world.startApi({ MYCLOUD_GC_GRACE_SECONDS: '0' });
  const isDoomed = async () => {
    await collectGarbage(deps, { dryRun: false });
    const { rows } = await deps.pool.query('SELECT "doomedAt" FROM "Snapshot" WHERE id = $1', [code]);
    return rows.length === 0 || rows[0].doomedAt !== null;
  };
  expect(await isDoomed()).toBe(false);
  await world.lab.call(routes.delete, { params: { ...params, name: schedule.name } });
  expect(await isDoomed()).toBe(true);
});

it('has its clock know what the rows say, and repairs one that has lost all', async () => {
  const clock = openClock(world.api.deps.config, world.api.deps.log, async () => undefined);
  const knows = (wanted: string[]) =>
    world.until(`the clock knows ${wanted.length}`, async () => {
      const known = [...(await clock.known()).keys()].sort();
      return JSON.stringify(known) === JSON.stringify([...wanted].sort()) ? true : undefined;
    });
  try {
    start();
    const one = await make({ name: 'one' });
    const two = await make({ name: 'two' });
    await knows([one.id, two.id]);
    await world.lab.call(routes.update, { params: { ...params, name: 'one' }, body: { paused: true } });
    await knows([two.id]);
    await clock.remove(two.id);
    await loops.pop()?.close();
    start();
    await knows([two.id]);
    await world.lab.call(routes.update, { params: { ...params, name: 'two' }, body: { cron: '5 * * * *' } });
    await world.until('the clock has the new times', async () =>
      (await clock.known()).get(two.id)?.cron === '5 * * * *' ? true : undefined,
    );
    await world.lab.call(routes.delete, { params: { ...params, name: 'two' } });
    await knows([]);
  } finally {
    await clock.close();
  }
});

it('is run by the clock within moments of its time', async () => {
  start();
  const schedule = await make({ name: 'minutely', cron: '* * * * *' });
  const time = Date.parse(schedule.nextRunAt!);
  const now = await world.until('it has run', async () => {
    // Up to a minute away: this test waits for a real one.
    if (Date.now() < time) await new Promise((resolve) => setTimeout(resolve, time - Date.now()));
    const { runs: all } = await look(schedule);
    return all[0];
  });
  expect(now.dueAt).toBe(schedule.nextRunAt);
  // The sweep comes five seconds after a time that the clock forgot.
  expect(Date.parse(now.ranAt) - time).toBeLessThan(4500);
}, 100_000);

it('keeps wall-clock time when the clocks change', () => {
  const next = (cron: string, after: string, zone = 'Europe/Berlin') =>
    nextTime(cron, zone, new Date(after)).toISOString();
  expect(next('0 3 * * *', '2026-03-28T12:00:00Z')).toBe('2026-03-29T01:00:00.000Z');
  expect(next('0 3 * * *', '2026-03-29T12:00:00Z')).toBe('2026-03-30T01:00:00.000Z');
  expect(next('0 3 * * *', '2026-10-24T12:00:00Z')).toBe('2026-10-25T02:00:00.000Z');
  // 2:30 is skipped in spring: it comes as the clocks have moved on. In autumn it is twice, and runs once.
  expect(next('30 2 * * *', '2026-03-28T12:00:00Z')).toBe('2026-03-29T01:30:00.000Z');
  const autumn = next('30 2 * * *', '2026-10-24T12:00:00Z');
  expect(autumn).toBe('2026-10-25T00:30:00.000Z');
  expect(next('30 2 * * *', autumn)).toBe('2026-10-26T01:30:00.000Z');
});

it('refuses what it could never run, when it is made', async () => {
  const wrong = async (body: Partial<CreateSchedule>) => (await refused(make(body))).message;
  expect(await wrong({ cron: '0 0 3 * * *' })).toBe(
    '"0 0 3 * * *" is no schedule: it has 6 fields, not five',
  );
  expect(await wrong({ cron: '61 * * * *' })).toMatch(/^"61 \* \* \* \*" is no schedule/);
  expect(await wrong({ timezone: 'Mars/Olympus' })).toBe('there is no time zone "Mars/Olympus"');
  expect(await wrong({ job: { command: 'true', machine: 'gpx' } })).toMatch(/gpx/);
  expect(await wrong({ job: { command: 'true', mounts: [{ source: 'nothing', name: 'input' }] } })).toMatch(
    /there is no dataset lab\/datasets\/nothing/,
  );
  await make({ name: 'twice' });
  expect(await wrong({ name: 'twice' })).toBe('lab/projects/cats has a schedule twice already');
  expect((await make()).name).toBe('schedule-1');
  expect((await make()).name).toBe('schedule-2');
  const missing = await refused(world.lab.call(routes.get, { params: { ...params, name: 'twicee' } }));
  expect(missing.hint).toBe('Did you mean twice?');
  // Another's project is not there for eve, whether to look at or to change.
  expect(await refused(world.eve.call(routes.get, { params: { ...params, name: 'twice' } }))).toMatchObject({
    code: 'not_found',
  });
  expect((await world.eve.call(routes.list, {})).items).toEqual([]);
});
