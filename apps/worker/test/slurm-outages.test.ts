import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { carrying, killAll } from '../../../test/support/processes.js';
import { wantSlurm } from '../../../test/support/slurm.js';
import { fullAndWaiting, idOf, inSlurm, system } from './support/slurm-jobs.js';
import { jobLines, until, World } from './support/world.js';

describe.skipIf(!wantSlurm())('a worker and Slurm that come and go', () => {
  let world: World;
  beforeEach(async () => {
    world = await World.open();
  });
  afterEach(() => world.close());

  it('jobs run on while slurmctld is away, and are told when they have ended', async () => {
    await world.start('slurm');
    const jobId = world.submit('echo ready; sleep 8; echo done');
    await world.line(jobId, 'ready');
    // One that is killed before it has written down that the job runs would begin it again, and close the node.
    const noted = 'seen running';
    await world.slurm.run('scontrol', 'update', `JobId=${await idOf(world, jobId)}`, `AdminComment=${noted}`);
    const state = path.join(world.slurm.dir, 'state/job_state');
    await until(
      () => existsSync(state) && readFileSync(state, 'latin1').includes(noted),
      'its state to be saved',
    );
    await world.slurm.end('slurmctld', 'SIGKILL');
    const submitted = world.submit('echo later');
    const attempt = await world.finished(jobId);
    expect(attempt.finish).toMatchObject({ reason: 'exit_zero' });
    await until(() => system(world.attempt(submitted)).some((line) => line.includes('Slurm does not')), 'it');
    await world.slurm.start('slurmctld');
    expect(jobLines(await world.finished(submitted, 90))).toEqual(['later']);
    expect((await inSlurm(world, submitted)).length).toBe(1);
  }, 120_000);

  it('a worker that is started while slurmctld is away adopts its jobs, and goes on with what it knew', async () => {
    const first = await world.start('slurm');
    const jobId = world.submit('echo ready; sleep 6; echo done');
    await world.line(jobId, 'ready');
    await world.slurm.end('slurmctld');
    await first.crash();
    await world.start('slurm');
    expect(world.api.registered.at(-1)).toMatchObject({ machines: ['cpu', 'cpu2', 'gpu', 'gpu2'] });
    expect(jobLines(await world.finished(jobId))).toEqual(['ready', 'done']);
    await world.slurm.start('slurmctld');
  }, 240_000);

  it('a job that is stopped while slurmctld is away ends when it is back', async () => {
    await world.start('slurm');
    const jobId = world.submit('echo ready; sleep 1000');
    await world.line(jobId, 'ready');
    await world.slurm.end('slurmctld');
    world.stopJob(jobId);
    await world.slurm.start('slurmctld');
    expect((await world.finished(jobId, 90)).finish).toMatchObject({ reason: 'stopped_by_user' });
  }, 120_000);

  it('a job that waits is adopted by the next worker, and submitted once', async () => {
    const first = await world.start('slurm');
    const [blocking, jobId] = await fullAndWaiting(world);
    await first.crash();
    await world.start('slurm');
    await until(() => world.api.streams() > 0, 'the command stream');
    world.stopJob(blocking);
    expect(jobLines(await world.finished(jobId))).toEqual(['turn']);
    expect((await inSlurm(world, jobId)).length).toBe(1);
  });

  it('a job that ran to its end while no worker was there is told by the next', async () => {
    const first = await world.start('slurm');
    const [blocking, jobId] = await fullAndWaiting(world);
    await first.crash();
    await world.slurm.run('scancel', await idOf(world, blocking));
    await until(async () => (await inSlurm(world, jobId))[0]?.state === 'COMPLETED', 'it to end');
    await world.start('slurm');
    const { finish } = await world.finished(jobId);
    expect(finish).toMatchObject({ reason: 'exit_zero', startedAt: expect.any(Number) });
    expect((await world.finished(blocking)).finish?.reason).toBe('cancelled_in_cluster');
  });

  it('a worker killed between sbatch and noting its answer finds the job again', async () => {
    const slow = path.join(world.home, 'bin');
    // sbatch that has submitted, and whose answer doesn't come.
    const first = await world.start('slurm', { PATH: `${slowSbatch(slow, 'after')}:${process.env.PATH}` });
    const jobId = world.submit('echo once >>$MYCLOUD_OUTPUT/a; cat $MYCLOUD_OUTPUT/a; sleep 4');
    await until(() => existsSync(path.join(slow, 'asked')), 'sbatch');
    await until(async () => (await inSlurm(world, jobId)).length, 'its job in Slurm');
    await first.crash();
    await world.start('slurm');
    const attempt = await world.finished(jobId);
    expect(jobLines(attempt)).toEqual(['once']);
    expect(attempt.finish?.reason).toBe('exit_zero');
    expect((await inSlurm(world, jobId)).length).toBe(1);
  });

  it('an sbatch of a killed worker that has not asked yet does not ask any more', async () => {
    const slow = path.join(world.home, 'bin');
    const first = await world.start('slurm', { PATH: `${slowSbatch(slow, 'before')}:${process.env.PATH}` });
    const jobId = world.submit('echo once');
    await until(() => existsSync(path.join(slow, 'asked')), 'sbatch');
    await first.crash();
    await world.start('slurm');
    expect(jobLines(await world.finished(jobId))).toEqual(['once']);
    expect(carrying(slow)).toEqual([]);
    expect((await inSlurm(world, jobId)).length).toBe(1);
  });

  it('of two jobs submitted for one attempt, one runs it', async () => {
    await world.start('slurm');
    const jobId = world.submit('echo $SLURM_JOB_ID; sleep 3');
    const ran = await until(() => jobLines(world.attempt(jobId) ?? ({ lines: [] } as never))[0], 'its line');
    const [attempt] = readdirSync(path.join(world.home, 'attempts'));
    const run = path.join(world.home, 'attempts', attempt!, 'run');
    const second = (await world.slurm.run('sbatch', '--parsable', path.join(run, 'batch'))).trim();
    await until(
      async () =>
        (await world.slurm.run('squeue', '-h', '-t', 'all', '-o', '%T', '-j', second)).trim() === 'COMPLETED',
      'the second to end',
    );
    expect(readFileSync(path.join(run, 'began'), 'utf8')).toMatch(new RegExp(`^${ran} ${world.slurm.node} `));
    const { finish, ...ended } = await world.finished(jobId);
    expect(finish?.reason).toBe('exit_zero');
    expect(ended.lines.filter(({ source }) => source === 'job').length).toBe(1);
  });

  it('a job whose batch script was killed on its node is the worker lost', async () => {
    await world.start('slurm');
    const jobId = world.submit('echo x >$MYCLOUD_OUTPUT/a; echo ready; sleep 1000');
    await world.line(jobId, 'ready');
    const id = await idOf(world, jobId);
    killAll(carrying(`job${id.padStart(5, '0')}/slurm_script`));
    killAll(carrying(`MYCLOUD_EXECUTION=${jobId}.`));
    const { finish } = await world.finished(jobId);
    expect(finish).toMatchObject({ reason: 'worker_lost', exitCode: null });
    expect(finish?.outputSnapshotId).not.toBeNull();
  });

  it('a node that fails has the job tried again', async () => {
    await world.start('slurm');
    const jobId = world.submit('echo ready; sleep 1000');
    await world.line(jobId, 'ready');
    await world.slurm.failNode();
    const { finish } = await world.finished(jobId);
    expect(finish).toMatchObject({ reason: 'node_failed', detail: expect.stringContaining('NODE_FAIL') });
    await world.slurm.resumeNode();
  });

  it('a job left in Slurm by an attempt that is no more is cancelled at the next start', async () => {
    const first = await world.start('slurm');
    const jobId = world.submit('echo ready; sleep 1000');
    await world.line(jobId, 'ready');
    await first.crash();
    const attempt = world.attempt(jobId);
    if (attempt) attempt.stale = true;
    rmSync(path.join(world.home, 'attempts'), { recursive: true });
    await world.start('slurm');
    await until(async () => (await inSlurm(world, jobId))[0]?.state === 'CANCELLED', 'it to be cancelled');
  });
});

/** A folder with an sbatch that hangs. @param when before or after it has submitted */
function slowSbatch(dir: string, when: 'before' | 'after'): string {
  const asked = `touch ${dir}/asked`;
  const text =
    when === 'before'
      ? `#!/bin/sh\n${asked}\nsleep 1000\n`
      : `#!/bin/sh\n/usr/bin/sbatch "$@"\n${asked}\nsleep 1000\n`;
  mkdirSync(dir);
  writeFileSync(path.join(dir, 'sbatch'), text, { mode: 0o755 });
  return dir;
}
