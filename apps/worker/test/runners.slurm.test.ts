import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fakeGpus } from '../../../test/support/fake-gpus.js';
import { wantSlurm } from '../../../test/support/slurm.js';
import { fullAndWaiting, idOf, inSlurm, MiB, machine, system } from './support/slurm-jobs.js';
import { jobLines, startLab, until, World } from './support/world.js';

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
