import { randomUUID } from 'node:crypto';
import { type Job, jobRoutes, metricRoutes, projectRoutes, sortedJobs } from '@mycloud/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refused } from './support/refused.js';
import { at, startWorld, type World } from './support/world.js';

let world: World;
const jobs: Job[] = [];
/** Last val_acc of the jobs 1 to 6; null: printed none. */
const accuracies = [0.5, 0.9, null, 0.7, 0.9, null];

beforeAll(async () => {
  world = await startWorld();
  const worker = await world.worker('w');
  for (const [i, accuracy] of accuracies.entries()) {
    const job = await world.submit({ command: `train ${i + 1}` });
    const held = await worker.take();
    await worker.status(held, 'running');
    if (accuracy !== null) {
      const points = [0.95, 0.1, accuracy].map((value, step) => ({ name: 'val_acc', step, value }));
      await worker.metrics(held, randomUUID(), points);
    }
    await worker.finish(held);
    // As long as its number, but for the sixth, which never began.
    await world.api.deps.pool.query(
      `UPDATE "Job" SET "finishedAt" = now(), "startedAt" = now() - make_interval(mins => $2) WHERE id = $1`,
      [job.id, i === 5 ? null : i + 1],
    );
    jobs.push(job);
  }
});
afterAll(() => world.close());

/** All numbers of a sorted list, got a page of two at a time. */
async function sorted(query: { sort?: string; order?: 'asc' | 'desc'; before?: number }, limit = 2) {
  const numbers: number[] = [];
  let cursor: string | undefined;
  do {
    const page = await world.lab.call(jobRoutes.list, { query: { ...query, limit, cursor } });
    numbers.push(...page.items.map((job) => job.number));
    cursor = page.nextCursor ?? undefined;
  } while (cursor);
  return numbers;
}

describe('a list of jobs', () => {
  it('is sorted by the last value of a metric, best first or last, jobs without it at the end', async () => {
    expect(await sorted({ sort: 'metric:val_acc' })).toEqual([5, 2, 4, 1, 6, 3]);
    expect(await sorted({ sort: 'metric:val_acc', order: 'asc' })).toEqual([1, 4, 5, 2, 6, 3]);
    expect(await sorted({ sort: 'metric:val_acc' }, 50)).toEqual([5, 2, 4, 1, 6, 3]);
    expect(await sorted({ sort: `metric:'; DROP TABLE "Job" --` })).toEqual([6, 5, 4, 3, 2, 1]);
  });

  it('is sorted by duration, and by when they were made, both ways', async () => {
    expect(await sorted({ sort: 'duration' })).toEqual([5, 4, 3, 2, 1, 6]);
    expect(await sorted({ sort: 'duration', order: 'asc' })).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await sorted({ order: 'asc' })).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await sorted({ before: 4 })).toEqual([3, 2, 1]);
  });

  it('refuses a sort that is none, and a cursor of its own making', async () => {
    const list = (query: object) => refused(world.lab.call(jobRoutes.list, { query }));
    expect((await list({ sort: 'owner' })).errors?.[0]?.message).toContain('metric:NAME');
    expect((await list({ cursor: 'x' })).message).toContain('no cursor');
    const made = Buffer.from('["1",1,"x",1]').toString('base64url');
    expect((await list({ cursor: made })).code).toBe('bad_request');
  });

  it('shows nobody what he may not see, however it is sorted', async () => {
    const query = { sort: 'metric:val_acc' };
    expect((await world.eve.call(jobRoutes.list, { query })).items).toEqual([]);
  });

  it('says so when there are more jobs than are sorted, and lists the newest of them', async () => {
    const { name, owner } = await world.lab.call(projectRoutes.create, { body: { name: 'huge' } });
    await world.api.deps.pool.query(
      `INSERT INTO "Job" (id, "projectId", number, "ownerId", command, machine, environment, status, "createdAt")
       SELECT gen_random_uuid(), p.id, n, p."ownerId", 'true', 'cpu', 'default', 'succeeded', now() - make_interval(secs => $1 + 9 - n)
       FROM "Project" p, generate_series(1, $1 + 5) n WHERE p.name = 'huge'`,
      [sortedJobs],
    );
    const page = (sort: string) =>
      world.lab.call(jobRoutes.list, { query: { owner, project: name, sort, limit: 1 } });
    const started = performance.now();
    expect(await page('metric:val_acc')).toMatchObject({ cut: true, items: [{ number: sortedJobs + 5 }] });
    // Slow machines included; on a quick one it is a tenth of that.
    expect(performance.now() - started).toBeLessThan(2000);
    expect((await page('made')).cut).toBe(false);
  });
});

it('the least and greatest value of a series are told when asked for', async () => {
  const list = (extremes: boolean) =>
    world.lab.call(metricRoutes.list, { ...at(jobs[0]!), query: extremes ? { extremes: 'true' } : {} });
  expect((await list(true)).items).toMatchObject([{ name: 'val_acc', last: 0.5, min: 0.1, max: 0.95 }]);
  expect((await list(false)).items[0]).not.toHaveProperty('min');
});
