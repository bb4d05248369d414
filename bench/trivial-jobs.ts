import { type Client, type CreateJob, type Job, jobRoutes } from '@mycloud/shared';
import { eventually } from '../test/support/server.js';

const open = ['queued', 'preparing', 'running', 'saving'] as const;

/**
 * Submits so many jobs `true` at once, each by a call of its own, and waits until all have ended.
 * @returns jobs a second, end to end @throws Error when one has not succeeded
 */
export async function trivialJobs(client: Client, params: { owner: string; project: string }, count: number) {
  const from = performance.now();
  const body: CreateJob = { command: 'true' };
  const jobs = await Promise.all(
    Array.from({ length: count }, (): Promise<Job> => client.call(jobRoutes.create, { params, body })),
  );
  await eventually(
    'all trivial jobs end',
    async () => {
      for (const status of open) {
        const query = { project: params.project, status, limit: 1 };
        if ((await client.call(jobRoutes.list, { query })).items.length > 0) return false;
      }
      return true;
    },
    300,
  );
  const rate = count / ((performance.now() - from) / 1000);
  for (const { name, number } of jobs) {
    const { status } = await client.call(jobRoutes.get, { params: { ...params, number } });
    if (status !== 'succeeded') throw new Error(`${name} is ${status}`);
  }
  return rate;
}
