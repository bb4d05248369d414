import { jobRoutes, workerRoutes } from '@mycloud/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refused } from './support/refused.js';
import { at, startWorld, type TestApi, type World } from './support/world.js';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

describe('the life of a job', () => {
  it('goes from queued to succeeded, and says each step', async () => {
    const worker = await world.worker('w-life');
    const job = await world.submit({ command: 'train', env: { A: 'b' } });
    expect(job).toMatchObject({ status: 'queued', attempt: 0, name: `lab/projects/cats/${job.number}` });
    expect(job.message).toBe('1st in line for cpu; 1 worker offers cpu');

    const held = await worker.take();
    expect(held).toMatchObject({
      jobId: job.id,
      attempt: 1,
      command: 'train',
      env: { A: 'b' },
      restore: null,
    });
    expect(await world.get(job)).toMatchObject({ status: 'preparing', worker: 'w-life', message: null });
    await worker.status(held, 'running');
    await worker.status(held, 'running');
    expect((await world.get(job)).startedAt).not.toBeNull();
    await worker.status(held, 'saving');
    const output = await world.snapshot();
    await worker.finish(held, { outputSnapshotId: output });
    expect(await world.get(job)).toMatchObject({
      status: 'succeeded',
      reason: 'exit_zero',
      message: 'finished',
      exitCode: 0,
      outputSnapshotId: output,
    });
    const { items } = await world.lab.call(jobRoutes.events, at(job));
    expect(items.map((event) => event.type)).toEqual([
      'queued',
      'preparing',
      'running',
      'saving',
      'succeeded',
    ]);

    // Said again, as after a lost answer, it is the same end; anything else is refused.
    await worker.finish(held, { outputSnapshotId: output });
    expect((await refused(worker.finish(held, { reason: 'exit_nonzero', exitCode: 1 }))).code).toBe(
      'stale_fence',
    );
  });

  it('began when it was told, or when its end says so, and never when it could not be started', async () => {
    const worker = await world.worker('w-began');
    const startOf = async (end: Parameters<typeof worker.finish>[1]) => {
      const job = await world.submit();
      await worker.finish(await worker.take(), end);
      return (await world.get(job)).startedAt;
    };
    expect(await startOf({ reason: 'exit_nonzero', exitCode: null })).toBeNull();
    expect(await startOf({ reason: 'exit_nonzero', exitCode: null, startedAt: null })).toBeNull();
    const before = Date.now();
    const began = Date.parse((await startOf({ startedAt: before })) ?? '');
    expect(Math.abs(began - before)).toBeLessThan(10_000);
  });

  it('is taken by one of many claimers at once', async () => {
    const workers = await Promise.all([1, 2, 3, 4].map((n) => world.worker(`w-race-${n}`)));
    for (let round = 0; round < 5; round++) {
      const job = await world.submit();
      const claims = await Promise.all(
        workers.map((worker, n) => worker.claim(n % 2 ? {} : { ticket: { jobId: job.id, attempt: 1 } })),
      );
      const taken = claims.filter((claim) => claim !== null);
      expect(taken).toHaveLength(1);
      const winner = workers[claims.findIndex((claim) => claim !== null)]!;
      await winner.finish(taken[0]!);
    }
  });

  it('is given to a waiting worker when it comes', async () => {
    const worker = await world.worker('w-wait', { machines: ['cpu2'] });
    // So often that finding it by the looks in between, and not by the wake, would take longer than a test may.
    for (let round = 0; round < 20; round++) {
      const waiting = worker.claim({ waitSeconds: 30 });
      const job = await world.submit({ machine: 'cpu2' });
      const held = await waiting;
      expect(held?.jobId).toBe(job.id);
      await worker.finish(held!);
    }
  });

  it('fails as the command did, and is tried again only when asked', async () => {
    const worker = await world.worker('w-fail');
    const plain = await world.submit();
    await worker.finish(await worker.take(), { reason: 'exit_nonzero', detail: '3', exitCode: 3 });
    expect(await world.get(plain)).toMatchObject({
      status: 'failed',
      exitCode: 3,
      message: 'the command exited with 3',
    });

    const again = await world.submit({ retries: 1 });
    await worker.finish(await worker.take(), { reason: 'exit_nonzero', detail: '3', exitCode: 3 });
    expect(await world.get(again)).toMatchObject({ status: 'queued', attempt: 1 });
    await worker.finish(await worker.take(), { reason: 'exit_nonzero', detail: '4', exitCode: 4 });
    expect(await world.get(again)).toMatchObject({ status: 'failed', attempt: 2, exitCode: 4 });
  });

  it('is not taken for a ticket of an attempt that is past', async () => {
    const worker = await world.worker('w-ticket');
    const job = await world.submit();
    const ticket = { jobId: job.id, attempt: 1 };
    const held = await worker.claim({ ticket });
    expect(held?.attempt).toBe(1);
    expect(await worker.claim({ ticket })).toBeNull();
    await worker.finish(held!);
    expect(await worker.claim({ ticket })).toBeNull();
  });

  it('lets one person’s hundred jobs not hold up another’s first', async () => {
    const worker = await world.worker('w-fair');
    const many = [];
    for (let i = 0; i < 3; i++) many.push(await world.submit());
    const pool = world.api.deps.pool;
    await pool.query(
      `INSERT INTO "Project" (id, "ownerId", name) SELECT gen_random_uuid(), id, 'own' FROM "User" WHERE name = 'eve'`,
    );
    const first = await world.eve.call(jobRoutes.create, {
      params: { owner: 'eve', project: 'own' },
      body: { command: 'true' },
    });
    const order = [];
    for (let i = 0; i < 4; i++) {
      const held = await worker.take();
      order.push(held.jobId);
      await worker.finish(held);
    }
    expect(order.indexOf(first.id)).toBe(1);
    expect(order[0]).toBe(many[0]!.id);
  });
});

describe('a lost worker', () => {
  it('is followed by a second attempt with the synced output, and refused everywhere', async () => {
    const short = await world.startApi({ MYCLOUD_LEASE_SECONDS: '1' });
    const worker = await world.worker('w-lost', { api: short });
    const job = await world.submit();
    const first = await worker.take();
    await worker.status(first, 'running');
    await worker.log(first, 1, ['begun']);
    const synced = await world.snapshot();
    await worker.output(first, synced);

    const loops = world.sweep(short);
    await world.until('it is queued again', async () =>
      (await world.get(job)).status === 'queued' ? true : undefined,
    );
    await loops.close();
    for (const write of [
      () => worker.status(first, 'saving'),
      () => worker.log(first, 2, ['late']),
      () => worker.metrics(first, crypto.randomUUID(), [{ name: 'loss', step: 1, value: 1 }]),
      () => worker.output(first, synced),
      () => worker.finish(first),
    ]) {
      expect((await refused(write())).code).toBe('stale_fence');
    }
    expect((await worker.heartbeat(first)).refused).toHaveLength(1);

    const second = await worker.take();
    expect(second).toMatchObject({ jobId: job.id, attempt: 2, restore: { snapshotId: synced } });
    expect(second.fence).toBeGreaterThan(first.fence);
    expect((await refused(worker.log({ ...second, fence: first.fence }, 1, ['forged']))).code).toBe(
      'stale_fence',
    );
    await worker.finish(second);
    expect(await world.get(job)).toMatchObject({ status: 'succeeded', attempt: 2, outputSnapshotId: synced });
    const { items } = await world.lab.call(jobRoutes.events, at(job));
    expect(items.find((event) => event.reason === 'worker_lost')?.message).toMatch(
      /^its worker was lost: w-lost was not heard of after .*; tried again as attempt 2$/,
    );
  });

  it('ends the job after the third attempt', async () => {
    const worker = await world.worker('w-thrice');
    const job = await world.submit();
    for (let attempt = 1; attempt <= 3; attempt++) {
      const held = await worker.take();
      expect(held.attempt).toBe(attempt);
      await worker.finish(held, { reason: 'worker_error', detail: 'no disk', exitCode: null });
    }
    expect(await world.get(job)).toMatchObject({ status: 'failed', reason: 'worker_error', attempt: 3 });
  });

  it('three times over is put down to the job, which is tried no more', async () => {
    const worker = await world.worker('w-poisoned');
    const job = await world.submit({ retries: 5 });
    for (let attempt = 1; attempt <= 3; attempt++) {
      const held = await worker.take();
      expect(held.attempt).toBe(attempt);
      await worker.status(held, 'running');
      await worker.finish(held, { reason: 'worker_lost', detail: 'gone', exitCode: null });
    }
    expect(await world.get(job)).toMatchObject({
      status: 'failed',
      reason: 'kills_worker',
      message: 'its worker was lost 3 times while it ran; it may be what kills it',
    });
  });

  it('is not judged lost before a full term when every api was away', async () => {
    const worker = await world.worker('w-away');
    const job = await world.submit();
    const held = await worker.take();
    const { pool } = world.api.deps;
    // As after an hour without any api: the lease is long over, and so is the last look at the leases.
    await pool.query(`UPDATE "Attempt" SET "leaseUntil" = now() - interval '1 hour' WHERE "jobId" = $1`, [
      job.id,
    ]);
    await pool.query(
      `INSERT INTO "Heartbeat" (name, at) VALUES ('leases', now() - interval '1 hour')
       ON CONFLICT (name) DO UPDATE SET at = excluded.at`,
    );
    const loops = world.sweep();
    await world.until('the sweep has looked', async () => {
      const { rows } = await pool.query(
        `SELECT 1 FROM "Attempt" WHERE "jobId" = $1 AND "leaseUntil" > now()`,
        [job.id],
      );
      return rows[0];
    });
    await loops.close();
    expect((await world.get(job)).status).toBe('preparing');
    expect((await worker.heartbeat(held)).refused).toEqual([]);
    await worker.finish(held);
  });

  it('keeps its lease by heartbeats', async () => {
    const short: TestApi = await world.startApi({ MYCLOUD_LEASE_SECONDS: '1' });
    const worker = await world.worker('w-beats', { api: short });
    const job = await world.submit();
    const held = await worker.take();
    const loops = world.sweep(short);
    const until = Date.now() + 2500;
    while (Date.now() < until) {
      expect((await worker.heartbeat(held)).refused).toEqual([]);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await loops.close();
    expect((await world.get(job)).status).toBe('preparing');
    await worker.finish(held);
  });
});

describe('a job for a GPU', () => {
  it('says that it waits for a card on which a program computes that is no job', async () => {
    const worker = await world.worker('w-cards', { machines: ['gpu2'], gpus: 2 });
    await worker.client.call(workerRoutes.heartbeat, {
      body: { workerId: worker.id, attempts: [], foreignGpus: 1 },
    });
    const job = await world.submit({ machine: 'gpu2' });
    expect((await world.get(job)).message).toBe(
      '1st in line for gpu2; 1 worker offers gpu2; on w-cards 1 of 2 GPUs is used by programs that are no jobs',
    );
    const held = await worker.take();
    await worker.client.call(workerRoutes.event, {
      params: { jobId: held.jobId },
      body: { attempt: held.attempt, fence: held.fence, type: 'warning', message: 'its GPU was idle' },
    });
    const { items } = await world.lab.call(jobRoutes.events, at(job));
    expect(items.at(-1)).toMatchObject({ type: 'warning', message: 'its GPU was idle' });
    await worker.finish(held);
  });
});

describe('a job that waits in a queue of its worker', () => {
  it('says for what, until it runs', async () => {
    const worker = await world.worker('w-cluster', { machines: ['gpu2'], gpus: 2 });
    const job = await world.submit({ machine: 'gpu2' });
    const held = await worker.take();
    expect((await world.get(job)).message).toBeNull();
    for (const word of ['Priority', 'Resources']) {
      const message = `waits in Slurm as its job 4711: ${word}`;
      await worker.client.call(workerRoutes.event, {
        params: { jobId: held.jobId },
        body: { attempt: held.attempt, fence: held.fence, type: 'waiting', message },
      });
      expect(await world.get(job)).toMatchObject({ status: 'preparing', message });
    }
    await worker.client.call(workerRoutes.status, {
      params: { jobId: held.jobId },
      body: { attempt: held.attempt, fence: held.fence, status: 'running' },
    });
    expect((await world.get(job)).message).toBeNull();
    await worker.finish(held);
  });
});

describe('a lost ticket', () => {
  it('is sent again by one of the sweeps', async () => {
    const job = await world.submit({ machine: 'gpu2' });
    const { pool } = world.api.deps;
    await pool.query(`UPDATE "Job" SET "ticketAt" = NULL WHERE id = $1`, [job.id]);
    const sweeps = [world.sweep(), world.sweep(await world.startApi())];
    await world.until('its ticket was sent', async () => {
      const { rows } = await pool.query('SELECT 1 FROM "Job" WHERE id = $1 AND "ticketAt" IS NOT NULL', [
        job.id,
      ]);
      return rows[0];
    });
    for (const sweep of sweeps) await sweep.close();
    await world.lab.call(jobRoutes.stop, at(job));
  });
});

describe('stopping', () => {
  it('ends a queued job at once, and twice is no error', async () => {
    const job = await world.submit({ machine: 'gpu2' });
    const stopped = await world.lab.call(jobRoutes.stop, at(job));
    expect(stopped).toMatchObject({ status: 'stopped', message: 'stopped by lab' });
    expect(await world.lab.call(jobRoutes.stop, at(job))).toEqual(stopped);
  });

  it('reaches a running job by the command stream of any api, and by heartbeats', async () => {
    const other = await world.startApi();
    const worker = await world.worker('w-stop', { api: other });
    const job = await world.submit();
    const held = await worker.take();
    await worker.status(held, 'running');
    await worker.listen();
    await world.lab.call(jobRoutes.stop, at(job));
    const command = await world.until('the stop came', async () =>
      worker.commands.find((c) => c.type === 'stop'),
    );
    const expected = { type: 'stop', jobId: job.id, attempt: 1, reason: 'stopped_by_user', detail: 'lab' };
    expect(command).toEqual(expected);
    expect((await worker.heartbeat(held)).commands).toEqual([expected]);
    await worker.finish(held, { reason: 'stopped_by_user', detail: 'lab', exitCode: 143 });
    expect(await world.get(job)).toMatchObject({ status: 'stopped', message: 'stopped by lab' });
  });

  it('of a job whose worker fails meanwhile is not undone by another attempt', async () => {
    const worker = await world.worker('w-stop-lost');
    const job = await world.submit();
    const held = await worker.take();
    await world.lab.call(jobRoutes.stop, at(job));
    await worker.finish(held, { reason: 'worker_error', detail: 'gone', exitCode: null });
    expect(await world.get(job)).toMatchObject({ status: 'stopped', reason: 'stopped_by_user' });
  });
});
