import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Job, WorkerInfo } from '@mycloud/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, startServer, type TestServer } from './support/server.js';
import { cgroupLines, type OneNodeSlurm, startSlurm, wantSlurm } from './support/slurm.js';

describe.skipIf(!wantSlurm())("a lab's Slurm cluster behind a server", () => {
  let slurm: OneNodeSlurm;
  let server: TestServer;
  beforeAll(async () => {
    slurm = await startSlurm({
      slots: 32,
      node: 'RealMemory=64000 Gres=gpu:2',
      lines: ['SelectTypeParameters=CR_Core_Memory', 'DefMemPerCPU=100'],
      cgroup: cgroupLines,
      gres: ['Name=gpu File=/dev/zero', 'Name=gpu File=/dev/full'],
      partitions: ['PartitionName=batch Nodes=ALL Default=YES State=UP'],
    });
    server = await startServer({
      args: ['--runner', 'slurm'],
      env: { SLURM_CONF: slurm.conf, MYCLOUD_SLURM_POLL_SECONDS: '0.5' },
    });
    await server.json(['init', 'cats']);
  });
  afterAll(async () => {
    await server?.remove();
    await slurm?.stop();
  });

  it('has its partitions found and offered as machines', async () => {
    const [worker] = await eventually('the worker', async () => {
      const { items } = await server.json<{ items: WorkerInfo[] }>(['workers']);
      return items.length > 0 && items;
    });
    expect(worker).toMatchObject({
      runner: 'slurm',
      machines: ['cpu', 'cpu2', 'gpu', 'gpu2'],
      cores: 32,
      gpus: 2,
    });
  });

  it('runs a job from submission to output', async () => {
    const command = 'echo "in $SLURM_JOB_PARTITION"; echo kept >"$MYCLOUD_OUTPUT/a.txt"';
    const { code, stdout, stderr } = await server.cli(['run', '--follow', '--exit-status', command]);
    expect(code, stdout + stderr).toBe(0);
    expect(stdout).toContain('in batch');
    expect(stdout).toContain(`runs as Slurm's job 1 on the node ${slurm.node}`);
    expect((await server.cli(['output', '1', '-o', 'back'])).code).toBe(0);
    expect(await readFile(path.join(server.folder, 'back/a.txt'), 'utf8')).toBe('kept\n');
  });

  it('tells whoever asks why a job waits in Slurm, goes on with it after a restart, and takes its turn', async () => {
    const holding = await server.json<Job>(['run', '--gpu2', 'echo $CUDA_VISIBLE_DEVICES; sleep 1000']);
    await eventually('it runs', async () => (await server.json<Job>(['status', '2'])).status === 'running');
    const waiting = await server.json<Job>(['run', '--gpu', 'echo "has $CUDA_VISIBLE_DEVICES"']);
    const said = /waits in Slurm as its job \d+: Resources/;
    await eventually('the reason', async () => said.test((await server.cli(['info', '3'])).stdout));
    expect((await server.cli(['why', '3'])).stdout).toMatch(said);
    expect((await server.cli(['status', '3'])).stdout).toMatch(said);
    expect((await server.cli(['logs', '3'])).stdout).toMatch(said);
    await server.stop();
    await server.restart();
    await server.cli(['stop', '2']);
    expect((await server.ended(holding)).status).toBe('stopped');
    expect((await server.ended(waiting)).status).toBe('succeeded');
    expect((await server.cli(['logs', '3'])).stdout).toMatch(/has [01]$/m);
    expect((await server.cli(['logs', '2'])).stdout).toMatch(/0,1$/m);
  }, 240_000);

  it("says that the cluster's administrator cancelled a job", async () => {
    const job = await server.json<Job>(['run', 'echo ready; sleep 1000']);
    await eventually('it runs', async () => (await server.cli(['logs', '4'])).stdout.includes('ready'));
    await slurm.run('scancel', '-u', 'root');
    expect(await server.ended(job)).toMatchObject({ status: 'stopped', reason: 'cancelled_in_cluster' });
    expect((await server.cli(['why', '4'])).stdout).toContain('cancelled in the cluster, not here');
  });

  it("does again by itself what a node's failure ended, from the output it had saved", async () => {
    const command =
      'echo "attempt $MYCLOUD_ATTEMPT" | tee -a "$MYCLOUD_OUTPUT/a"; [ $MYCLOUD_ATTEMPT = 2 ] || sleep 1000';
    const job = await server.json<Job>(['run', command]);
    await eventually('it runs', async () => (await server.cli(['logs', '5'])).stdout.includes('attempt 1'));
    await slurm.failNode();
    await eventually('it waits again', async () => (await server.json<Job>(['status', '5'])).attempt === 2);
    await slurm.resumeNode();
    expect(await server.ended(job)).toMatchObject({ status: 'succeeded', attempt: 2 });
    expect((await server.cli(['output', '5', '-o', 'again'])).code).toBe(0);
    expect(await readFile(path.join(server.folder, 'again/a'), 'utf8')).toBe('attempt 1\nattempt 2\n');
  }, 240_000);
});
