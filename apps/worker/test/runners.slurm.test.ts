import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fakeGpus } from '../../../test/support/fake-gpus.js';
import { carrying, killAll } from '../../../test/support/processes.js';
import { wantSlurm } from '../../../test/support/slurm.js';
import type { Attempt } from './support/fake-api.js';
import { jobLines, startLab, until, World } from './support/world.js';

const MiB = 2 ** 20;
const machine = (name: string, more = {}) => ({ name, cores: 1, memoryBytes: 96 * MiB, gpus: 0, ...more });
const all = machine('cpu', { cores: 32 });
const system = (attempt: Attempt | undefined): string[] =>
  (attempt?.lines ?? []).filter(({ source }) => source === 'system').map(({ text }) => text);

/** Slurm's own view of an attempt's jobs: id and state, the newest first. */
async function inSlurm(world: World, jobId: string): Promise<{ id: string; state: string }[]> {
  const text = await world.slurm.run('squeue', '-h', '-t', 'all', '-o', '%i %T %j', '-S', '-i');
  const lines = text.split('\n').filter((line) => line.includes(jobId));
  return lines.map((line) => ({ id: line.split(' ')[0]!, state: line.split(' ')[1]! }));
}

const idOf = async (world: World, jobId: string): Promise<string> =>
  (await until(async () => (await inSlurm(world, jobId))[0], 'its job in Slurm')).id;

describe.skipIf(!wantSlurm())('a worker on a login node', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.open();
    await world.start('slurm');
  });
  afterAll(() => world.close());

  it('offers partitions as machines, with what their nodes have', () => {
    expect(world.api.registered.at(-1)).toMatchObject({
      runner: 'slurm',
      machines: ['cpu', 'cpu2', 'gpu', 'gpu2'],
      cores: 32,
      gpus: 2,
      limits: 'slurm holds memory; not CPU and processes',
      images: false,
    });
  });

  it('asks for what the machine has, in its partition', async () => {
    const jobId = world.submit('echo ready; sleep 1000', {
      machine: machine('gpu2', { cores: 3, gpus: 2 }),
      maxRuntimeSeconds: 90,
    });
    await world.line(jobId, 'ready');
    const text = await world.slurm.run('scontrol', 'show', 'job', await idOf(world, jobId));
    expect(text).toMatch(/Partition=gpu /);
    expect(text).toMatch(/NumCPUs=3 .*CPUs\/Task=3/);
    expect(text).toMatch(/MinMemoryNode=96M/);
    expect(text).toMatch(/TresPerNode=gres:gpu:2/);
    expect(text).toMatch(/TimeLimit=00:04:00/);
    expect(text).toMatch(/Requeue=0/);
    world.stopJob(jobId);
    await world.finished(jobId);
  });

  it('gives a job its GPUs, and another the other', async () => {
    const ask = 'echo "gpu $CUDA_VISIBLE_DEVICES"; while [ ! -e $MYCLOUD_OUTPUT/never ]; do sleep 0.1; done';
    const jobs = [1, 2].map(() => world.submit(ask, { machine: machine('gpu', { gpus: 1 }) }));
    const had = await Promise.all(
      jobs.map((jobId) =>
        until(() => jobLines(world.attempt(jobId) ?? ({ lines: [] } as never))[0], 'its GPUs'),
      ),
    );
    expect(had.sort()).toEqual(['gpu 0', 'gpu 1']);
    const third = world.submit(ask, { machine: machine('gpu', { gpus: 1 }) });
    await until(() => system(world.attempt(third)).some((line) => line.includes('Resources')), 'the reason');
    for (const jobId of [...jobs, third]) world.stopJob(jobId);
    for (const jobId of [...jobs, third]) await world.finished(jobId);
    const none = await world.finished(world.submit('echo "gpu $CUDA_VISIBLE_DEVICES"'));
    expect(jobLines(none)).toEqual(['gpu ']);
  });

  it('runs jobs beside one another, and as plain processes where there is no bubblewrap', async () => {
    const plain = await World.open();
    await plain.start('slurm', { MYCLOUD_SLURM_ISOLATION: 'process' });
    const wait = (own: string, other: string) =>
      `touch ${plain.home}/${own}; until [ -e ${plain.home}/${other} ]; do sleep 0.05; done; echo met; pwd`;
    for (const jobId of [plain.submit(wait('a', 'b')), plain.submit(wait('b', 'a'))]) {
      const lines = jobLines(await plain.finished(jobId));
      expect(lines).toEqual(['met', path.join(plain.home, 'attempts', `${jobId}.1`, 'code')]);
    }
    await plain.close();
  });

  it('leaves no secret in the script that Slurm keeps, nor in a file that others may read', async () => {
    const jobId = world.submit('echo "$TOKEN"; sleep 1000', { env: { TOKEN: 'very-secret', IFS: ':' } });
    await world.line(jobId, 'very-secret');
    const id = await idOf(world, jobId);
    const kept = await world.slurm.run('scontrol', 'write', 'batch_script', id, '-');
    const shown = await world.slurm.run('scontrol', 'show', 'job', id);
    expect(kept).toContain('#SBATCH');
    expect(kept + shown).not.toContain('very-secret');
    world.stopJob(jobId);
    expect((await world.finished(jobId)).finish?.reason).toBe('stopped_by_user');
  });

  it('says what memory a job had that took too much, and what Slurm said', async () => {
    const attempt = await world.finished(
      world.submit('set -o pipefail; head -c 300000000 /dev/zero | tail -n 1 | wc -c', {
        machine: machine('cpu'),
      }),
    );
    expect(attempt.finish?.reason).toBe('out_of_memory');
    expect(attempt.finish?.detail).toMatch(/^used 9\d\.\d of 96\.0 MiB at \d\d:\d\d$/);
  });

  it('says that somebody cancelled it in the cluster', async () => {
    const jobId = world.submit('echo ready; sleep 1000');
    await world.line(jobId, 'ready');
    const id = await idOf(world, jobId);
    await world.slurm.run('scancel', id);
    const attempt = await world.finished(jobId);
    expect(attempt.finish).toMatchObject({
      reason: 'cancelled_in_cluster',
      detail: expect.stringMatching(`^Slurm's job ${id} on ${world.slurm.node} `),
    });
    expect(system(attempt).join('\n')).toMatch(/Slurm: \*\*\* JOB \d+ ON \S+ CANCELLED/);
  });

  it('says the same of one that had not begun', async () => {
    const [first, second] = await fullAndWaiting(world);
    await world.slurm.run('scancel', await idOf(world, second));
    const attempt = await world.finished(second);
    expect(attempt.finish).toMatchObject({ reason: 'cancelled_in_cluster', startedAt: null });
    expect(attempt.statuses).not.toContain('running');
    world.stopJob(first);
    await world.finished(first);
  });

  it('sees the end of one that waits though its worker collects garbage all the time', async () => {
    const eager = await World.open();
    await eager.start('slurm', {
      NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(collecting)}`,
    });
    const [first, second] = await fullAndWaiting(eager);
    await eager.slurm.run('scancel', await idOf(eager, second));
    expect((await eager.finished(second)).finish?.reason).toBe('cancelled_in_cluster');
    eager.stopJob(first);
    await eager.finished(first);
    await eager.close();
  });

  it('tells why a job waits, and takes it out of the queue when it is stopped', async () => {
    const [first, second] = await fullAndWaiting(world);
    await until(() => world.attempt(second)?.events.at(-1)?.message.includes('Resources'), 'it to be told');
    expect(world.attempt(second)?.events.at(-1)).toEqual({
      type: 'waiting',
      message: expect.stringMatching(/^waits in Slurm as its job \d+: Resources \(it is next, and waits/),
    });
    world.stopJob(second);
    const attempt = await world.finished(second);
    expect(attempt.finish).toMatchObject({ reason: 'stopped_by_user', startedAt: null, exitCode: null });
    expect(system(attempt).at(-1)).toBe('stopped before it started');
    await until(async () => (await inSlurm(world, second))[0]?.state === 'CANCELLED', 'it to be cancelled');
    world.stopJob(first);
    await world.finished(first);
  });

  it('has a job saved before the time limit that Slurm has for it', async () => {
    const jobId = world.submit(
      `trap 'echo checkpoint >$MYCLOUD_OUTPUT/a; exit 3' TERM; echo ready; while :; do sleep 0.1; done`,
    );
    await world.line(jobId, 'ready');
    const id = await idOf(world, jobId);
    await world.slurm.run('scontrol', 'update', `JobId=${id}`, 'TimeLimit=1');
    const { finish } = await world.finished(jobId, 100);
    expect(finish).toMatchObject({
      reason: 'max_runtime',
      detail: '1:00, the time limit of its job in Slurm',
      exitCode: 3,
    });
    expect(finish?.outputSnapshotId).not.toBeNull();
  }, 120_000);

  it('has another attempt made where Slurm begins a job anew', async () => {
    const jobId = world.submit('echo x >>$MYCLOUD_OUTPUT/a; echo ready; sleep 1000');
    await world.line(jobId, 'ready');
    const id = await idOf(world, jobId);
    await world.slurm.run('scontrol', 'update', `JobId=${id}`, 'Requeue=1');
    await world.slurm.run('scontrol', 'requeue', id);
    const attempt = await world.finished(jobId);
    expect(attempt.finish?.reason).toBe('node_failed');
    expect(attempt.finish?.outputSnapshotId).not.toBeNull();
    expect(jobLines(attempt)).toEqual(['ready']);
    await until(async () => (await inSlurm(world, jobId))[0]?.state === 'CANCELLED', 'it to be cancelled');
  });

  it("passes Slurm's refusal on, and doesn't try again by itself", async () => {
    const { finish } = await world.finished(
      world.submit('true', { machine: machine('cpu', { memoryBytes: 900 * 2 ** 30 }) }),
    );
    expect(finish?.reason).toBe('cluster_refused');
    expect(finish?.detail).toContain('Requested node configuration is not available');
  });

  it('knows what its processes use', async () => {
    const jobId = world.submit(
      `echo ready; node -e 'const a = Buffer.alloc(60 << 20, 1); const end = Date.now() + 20000; while (Date.now() < end) a[0]++'`,
      { machine: machine('cpu', { memoryBytes: 512 * MiB }) },
    );
    const points = await until(
      () => {
        const seen = world.attempt(jobId)?.points ?? [];
        const cpu = seen.find(({ name, value }) => name === 'system/cpu' && (value ?? 0) > 20);
        const memory = seen.find(({ name, value }) => name === 'system/memory' && (value ?? 0) > 60 * MiB);
        return cpu && memory ? { cpu, memory } : null;
      },
      'its use',
      40,
    );
    expect(points.cpu.value).toBeLessThan(250);
    expect(points.memory.value).toBeLessThan(512 * MiB);
    world.stopJob(jobId);
    await world.finished(jobId);
  });

  it('refuses what needs a way into the job, in a sentence', async () => {
    const { finish } = await world.finished(world.submit('true', { mode: 'serve' }));
    expect(finish).toMatchObject({
      reason: 'environment_failed',
      detail: expect.stringContaining('a web server in a job of Slurm can not be reached'),
    });
    const image = { name: 'image:x', description: '', requirements: [], image: 'x' };
    const { finish: other } = await world.finished(world.submit('true', { environment: image }));
    expect(other?.detail).toContain('this worker runs jobs by Slurm, without images');
  });

  it('leaves nothing of them behind, here and in Slurm', async () => {
    const attempts = (): string[] => readdirSync(path.join(world.home, 'attempts'));
    await until(() => attempts().length === 0, 'the folders to go');
    await until(async () => (await world.slurm.run('squeue', '-h')).trim() === '', 'the queue to be empty');
  });
});

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
    // One that is killed before it has written down what runs would not know it again, and close the node.
    const state = path.join(world.slurm.dir, 'state/job_state');
    await until(
      () => existsSync(state) && readFileSync(state, 'latin1').includes(jobId),
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

describe.skipIf(!wantSlurm())("a job's GPUs on a node", () => {
  it('have their use among its metrics, as nvidia-smi there tells it, and a job that leaves them idle is warned', async () => {
    const cards = fakeGpus(1);
    cards.utilise(1);
    const dir = mkdtempSync(path.join(tmpdir(), 'worker-test-'));
    // What a node's administrator puts before every job.
    const prolog = path.join(dir, 'prolog');
    writeFileSync(prolog, `#!/bin/sh\necho "export PATH=${cards.env.PATH}"\n`, { mode: 0o755 });
    const lab = await startLab([`TaskProlog=${prolog}`]);
    const world = await World.open();
    await world.start('slurm', {
      SLURM_CONF: lab.conf,
      MYCLOUD_GPU_SECONDS: '0.5',
      MYCLOUD_GPU_IDLE_SECONDS: '2',
    });
    const jobId = world.submit('sleep 1000', { machine: machine('gpu', { gpus: 1 }) });
    const value = (name: string) => world.attempt(jobId)?.points.find((point) => point.name === name)?.value;
    await until(() => value('system/gpu'), 'the use of its GPU');
    expect(value('system/gpu')).toBe(1);
    expect(value('system/gpu_memory')).toBe(2048 * MiB);
    const warning = 'its GPU was used less than 5 % for 2 seconds';
    await until(() => world.attempt(jobId)?.events.some(({ message }) => message === warning), 'the warning');
    await world.close();
    await lab.stop();
    cards.remove();
    rmSync(dir, { recursive: true });
  });
});

/** What a worker loads to let go at once of all that nothing holds. */
const collecting = `
  import v8 from 'node:v8';
  import vm from 'node:vm';
  v8.setFlagsFromString('--expose-gc');
  const collect = vm.runInNewContext('gc');
  setInterval(collect, 50).unref();
`;

/** A job that has the whole node, and one that waits for it. */
async function fullAndWaiting(world: World): Promise<[string, string]> {
  const first = world.submit('echo ready; sleep 1000', { machine: all });
  await world.line(first, 'ready');
  const second = world.submit('echo turn', { machine: all });
  await until(() => system(world.attempt(second)).some((line) => line.includes('Resources')), 'the reason');
  return [first, second];
}

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
