import { afterAll, beforeAll, expect, it } from 'vitest';
import { refused } from './support/refused.js';
import { startWorld, type World } from './support/world.js';

let world: World;
beforeAll(async () => {
  world = await startWorld({ MYCLOUD_LEASE_SECONDS: '2' });
});
afterAll(() => world.close());

it('gives a job to the next worker when the answer to a claim was lost, and counts no attempt', async () => {
  const deaf = await world.worker('deaf');
  const other = await world.worker('other');
  const job = await world.submit();
  const lost = await deaf.take();
  // It knows of nothing: at once that may be an answer under way, a while later it is none.
  await deaf.heartbeat();
  expect(await other.claim()).toBeNull();
  const again = await world.until('it is back in the line', async () => {
    await deaf.heartbeat();
    return (await other.claim()) ?? undefined;
  });
  expect(again).toMatchObject({ jobId: job.id, attempt: 1 });
  expect(again.fence).toBeGreaterThan(lost.fence);
  // Should the answer come after all, its fence is good for nothing.
  expect((await refused(deaf.log(lost, 1, ['late']))).code).toBe('stale_fence');
  await other.log(again, 1, ['in time']);
  await other.finish(again, { lastSeq: 1 });
  expect(await world.get(job)).toMatchObject({ status: 'succeeded', attempt: 1, worker: 'other' });
});

it('leaves a job to a worker that has begun it, though a heartbeat was sent before', async () => {
  const worker = await world.worker('slow');
  const job = await world.submit();
  const held = await worker.take();
  await worker.log(held, 1, ['begun']);
  await new Promise((resolve) => setTimeout(resolve, 1100));
  await worker.heartbeat();
  expect(await world.get(job)).toMatchObject({ status: 'preparing', attempt: 1, worker: 'slow' });
});
