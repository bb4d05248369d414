import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { carrying, killAll } from '../../../test/support/processes.js';
import { jobLines, runners, until, World } from './support/world.js';

const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index + 1));
describe.each(runners)('a worker killed with -9 and started again, by the %s runner', (runner) => {
  let world: World;
  beforeEach(async () => {
    world = await World.open();
  });
  afterEach(() => world.close());

  it('adopts the running job: its lines are whole and come once', async () => {
    const first = await world.start(runner);
    const jobId = world.submit(`for i in $(seq 1 400); do echo $i; sleep 0.005; done; exit 4`);
    await world.line(jobId, '50');
    await first.crash();
    await world.start(runner);
    const attempt = await world.finished(jobId);
    expect(jobLines(attempt)).toEqual(numbers(400));
    expect(attempt.finish).toMatchObject({ reason: 'exit_nonzero', detail: '4' });
    expect(attempt.statuses[0]).toBe('running');
  });

  it('finishes the job that ended while it was away, with its output', async () => {
    const first = await world.start(runner);
    const jobId = world.submit('echo start; sleep 0.5; seq 1 1000; echo x >$MYCLOUD_OUTPUT/a; exit 5');
    await world.line(jobId, 'start');
    await first.crash();
    await until(() => hasEnded(world.home), 'the job to end');
    await world.start(runner);
    const attempt = await world.finished(jobId);
    expect(attempt.finish).toMatchObject({ reason: 'exit_nonzero', detail: '5' });
    expect(attempt.finish?.outputSnapshotId).not.toBeNull();
    expect(jobLines(attempt)).toEqual(['start', ...numbers(1000)]);
    await until(
      () => readdirSync(path.join(world.home, 'attempts')).length === 0,
      'its folder to be removed',
    );
  });

  // A node tells on its own what became of them: runners.slurm.test.ts.
  it.skipIf(runner === 'slurm')(
    'says of a job whose processes went with it that the worker was lost, and keeps its output',
    async () => {
      const first = await world.start(runner);
      const jobId = world.submit('echo x >"$MYCLOUD_OUTPUT/a"; echo ready; sleep 1000');
      await world.line(jobId, 'ready');
      await first.crash();
      killAll(carrying(`MYCLOUD_EXECUTION=${jobId}.`));
      await world.start(runner);
      const { finish } = await world.finished(jobId);
      expect(finish).toMatchObject({ reason: 'worker_lost', exitCode: null });
      expect(finish?.outputSnapshotId).not.toBeNull();
    },
  );

  it('gives a job up with which it was killed time and again', async () => {
    let worker = await world.start(runner);
    const jobId = world.submit('echo ready; sleep 1000');
    await world.line(jobId, 'ready');
    for (let crashes = 0; crashes < 5; crashes++) {
      await worker.crash();
      worker = await world.start(runner);
    }
    expect((await world.finished(jobId)).finish).toMatchObject({
      reason: 'worker_lost',
      detail: 'it was killed 5 times in an hour',
    });
  });

  it('still stops a job it adopted', async () => {
    const first = await world.start(runner);
    const jobId = world.submit('echo ready; sleep 1000');
    await world.line(jobId, 'ready');
    await first.stop();
    await world.start(runner);
    await until(() => world.api.streams() > 0, 'the command stream');
    world.stopJob(jobId);
    const attempt = await world.finished(jobId);
    expect(attempt.finish).toMatchObject({ reason: 'stopped_by_user', exitCode: 143 });
  });

  it('keeps a job running while the api is away, and tells everything afterwards', async () => {
    await world.start(runner);
    const jobId = world.submit('echo before; sleep 0.3; seq 1 3000; echo after');
    await until(() => world.attempt(jobId), 'the claim');
    world.api.away = true;
    await until(() => hasEnded(world.home), 'the job to end');
    world.api.away = false;
    const attempt = await world.finished(jobId);
    expect(jobLines(attempt)).toEqual(['before', ...numbers(3000), 'after']);
    expect(attempt.finish?.reason).toBe('exit_zero');
  });
});

/** Whether the supervisor of a job has written its exit code. */
function hasEnded(home: string): boolean {
  const attempts = path.join(home, 'attempts');
  return readdirSync(attempts).some((name) => {
    const file = path.join(attempts, name, 'run/exit');
    return existsSync(file) && /^\d/.test(readFileSync(file, 'utf8'));
  });
}
