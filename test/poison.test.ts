import { jobRoutes, projectRoutes } from '@mycloud/shared';
import { expect, it } from 'vitest';
import { eventually, startServer } from './support/server.js';

/** Kills its worker, the shells between them and itself, as a job that takes its machine down would. */
const poison = `echo attempt $MYCLOUD_ATTEMPT; sleep 0.3
parent() { cut -d ' ' -f 4 /proc/$1/stat; }
supervisor=$PPID; worker=$(parent $(parent $supervisor))
case $(tr '\\0' ' ' </proc/$worker/cmdline) in *worker/dist/main.js*) kill -9 $worker $supervisor;; esac
kill -9 $$`;

it('a job that kills its worker each time is tried three times and then ended, saying so', async () => {
  const server = await startServer({ args: ['--runner', 'process'] });
  try {
    const client = await server.client();
    const { owner } = await client.call(projectRoutes.create, { body: { name: 'poison' } });
    const params = { owner, project: 'poison' };
    const poisonous = await client.call(jobRoutes.create, { params, body: { command: poison } });
    const job = await server.ended(poisonous, 200);
    expect(job).toMatchObject({
      status: 'failed',
      reason: 'kills_worker',
      message: 'its worker was lost 3 times while it ran; it may be what kills it',
      attempt: 3,
    });
    // The worker is back for others.
    const next = await client.call(jobRoutes.create, { params, body: { command: 'echo fine' } });
    await eventually('the next job succeeds', async () => {
      const found = await client.call(jobRoutes.get, { params: { ...params, number: next.number } });
      return found.status === 'succeeded';
    });
  } finally {
    await server.remove();
  }
}, 300_000);
