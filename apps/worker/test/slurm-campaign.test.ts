import { readdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { randomFrom } from '../../../test/faults/random.js';
import { wantSlurm } from '../../../test/support/slurm.js';
import { jobLines, until, type WorkerProcess, World } from './support/world.js';

const lines = 150;
const jobCount = 8;
/** One with which a worker was killed five times is given up. */
const mostCrashes = 4;

/** Draws what happens, and when; the jobs must not notice. */
describe.skipIf(!wantSlurm()).each([1, 2])('kills drawn from seed %i, around jobs in Slurm', (seed) => {
  it('lose no line, repeat none, and submit no job twice', async () => {
    const random = randomFrom(seed);
    const world = await World.open();
    let worker: WorkerProcess = await world.start('slurm');
    const machine = { name: 'cpu', cores: 12, memoryBytes: 2 ** 28, gpus: 0 };
    // Two of them fill the node: the others wait, and are adopted waiting.
    const jobs = Array.from({ length: jobCount }, (_, job) =>
      world.submit(
        `for i in $(seq ${lines}); do echo $i; sleep 0.0${random.between(1, 4)}; done; echo end >>$MYCLOUD_OUTPUT/a; exit ${job}`,
        { machine },
      ),
    );
    // A claim whose answer is lost is the api's to mend, which this one doesn't.
    for (const jobId of jobs) await until(() => world.attempt(jobId)?.lines.length, 'it to be taken');
    const faults = {
      worker: async () => {
        await worker.crash();
        await sleep(random.between(0, 3000));
        worker = await world.start('slurm');
      },
      slurmctld: async () => {
        await world.slurm.end('slurmctld');
        await sleep(random.between(0, 3000));
        await world.slurm.start('slurmctld');
      },
      both: async () => {
        await Promise.all([worker.crash(), world.slurm.end('slurmctld')]);
        const starting = world.start('slurm');
        await world.slurm.start('slurmctld');
        worker = await starting;
      },
      api: async () => {
        world.api.away = true;
        await sleep(random.between(100, 2000));
        world.api.away = false;
      },
    };
    for (let crashes = 0; crashes < mostCrashes; ) {
      await sleep(random.between(0, 2500));
      const fault = random.pick(['worker', 'slurmctld', 'both', 'api'] as const);
      if (fault === 'worker' || fault === 'both') crashes += 1;
      await faults[fault]();
    }
    const numbers = Array.from({ length: lines }, (_, index) => String(index + 1));
    for (const [code, jobId] of jobs.entries()) {
      const attempt = await world.finished(jobId, 120);
      expect(attempt.finish, `job ${code}`).toMatchObject({ exitCode: code, startedAt: expect.any(Number) });
      expect(jobLines(attempt), `job ${code}`).toEqual(numbers);
      expect(attempt.finish?.outputSnapshotId).not.toBeNull();
    }
    const submitted = (await world.slurm.run('squeue', '-h', '-t', 'all', '-o', '%j')).split('\n');
    for (const jobId of jobs) expect(submitted.filter((name) => name.includes(jobId))).toHaveLength(1);
    await until(() => readdirSync(path.join(world.home, 'attempts')).length === 0, 'the folders to go');
    await world.close();
  }, 400_000);
});
