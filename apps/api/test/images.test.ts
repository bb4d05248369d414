import { jobRoutes, machineRoutes } from '@mycloud/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refused } from './support/refused.js';
import { at, startWorld, type World } from './support/world.js';

let world: World;
beforeAll(async () => {
  const own = [{ name: 'torch', description: 'PyTorch', requirements: [], image: 'pytorch/pytorch:2.9.0' }];
  world = await startWorld({ MYCLOUD_ENVIRONMENTS: JSON.stringify(own) });
});
afterAll(() => world.close());

describe('a job in a container image', () => {
  it.each(['image:python:3.12-slim', 'torch'])(
    '%s is left to a worker that runs images',
    async (environment) => {
      const plain = await world.worker('w-plain');
      const job = await world.submit({ environment });
      expect(await plain.claim()).toBeNull();
      expect(await plain.claim({ ticket: { jobId: job.id, attempt: 1 } })).toBeNull();
      expect((await world.get(job)).message).toBe(
        'no worker that offers cpu runs container images; start Docker on one and then the worker again',
      );
      const after = await world.submit();
      const held = await plain.take();
      expect(held.jobId).toBe(after.id);
      await plain.finish(held);

      const docker = await world.worker('w-docker', { images: true });
      expect((await world.get(job)).message).toBe('1st in line for cpu; 1 worker offers cpu');
      const taken = await docker.take();
      expect(taken).toMatchObject({ jobId: job.id });
      expect(taken.environment.image).toBe(
        environment === 'torch' ? 'pytorch/pytorch:2.9.0' : 'python:3.12-slim',
      );
      await docker.finish(taken);
      await world.api.deps.pool.query(`UPDATE "Worker" SET "lastSeenAt" = 'epoch' WHERE name = 'w-docker'`);
    },
  );

  it('is refused when the image has no name an engine knows', async () => {
    const error = await refused(world.submit({ environment: 'image:--privileged alpine' }));
    expect(error.code).toBe('bad_request');
    expect(error.message).toContain('is no name of a container image');
  });

  it('stands among the environments when the server’s settings name it', async () => {
    const { items } = await world.lab.call(machineRoutes.environments, {});
    expect(items.find((one) => one.name === 'torch')?.image).toBe('pytorch/pytorch:2.9.0');
    const job = await world.submit({ environment: 'torch' });
    await world.lab.call(jobRoutes.stop, at(job));
  });
});
