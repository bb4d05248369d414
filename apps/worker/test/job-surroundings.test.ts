import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { uploadFolder } from '@mycloud/snapshots';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Attempt } from './support/fake-api.js';
import { jobLines, runners, until, World } from './support/world.js';

const systemLines = ({ lines }: Attempt): string[] =>
  lines.filter((line) => line.source === 'system').map((line) => line.text);

describe.each(runners)('what a job finds around it, by the %s runner', (runner) => {
  let world: World;
  let folder: string;
  let snapshot: { snapshotId: string; snapshot: string };
  beforeAll(async () => {
    world = await World.open();
    folder = mkdtempSync(path.join(tmpdir(), 'worker-test-'));
    writeFileSync(path.join(folder, 'a.txt'), 'first\n');
    const saved = await uploadFolder({ client: world.api.snapshots.client, dir: folder });
    snapshot = { snapshotId: saved.snapshotId, snapshot: saved.hash };
    // A second worker takes cpu2.
    const machines = { MYCLOUD_WORKER_MACHINES: 'cpu' };
    await world.start(runner, { ...machines, MYCLOUD_SLOTS: '4', SECRET_OF_THE_HOST: 'hidden' });
  });
  afterAll(async () => {
    await world.close();
    rmSync(folder, { recursive: true });
  });

  it('has its input, its code as its working folder, and its output', async () => {
    const command =
      'cat $MYCLOUD_INPUT/a.txt a.txt; echo kept >output.txt; pwd; echo $MYCLOUD_CODE; ls output $MYCLOUD_OUTPUT';
    const more = { mounts: [{ name: 'input', ...snapshot }], code: snapshot };
    const attempt = await world.finished(world.submit(command, more));
    const [input, code, pwd, codeDir] = jobLines(attempt);
    expect([input, code]).toEqual(['first', 'first']);
    expect(pwd).toBe(codeDir);
    if (runner !== 'process') expect(codeDir).toBe('/code');
  });

  it('hears that it wrote beside its code and not to /output, where that loses it', async () => {
    const attempt = await world.finished(
      world.submit('mkdir -p output/deep; echo w > output/deep/weights; echo b > output/b', {
        code: snapshot,
      }),
    );
    const warned = systemLines(attempt).filter((line) => line.startsWith('warning: nothing was written'));
    // A plain process finds /output beside its code by a link.
    if (runner === 'process') {
      expect(attempt.finish?.outputSnapshotId).not.toBeNull();
      expect(warned).toEqual([]);
    } else expect(warned).toEqual([expect.stringMatching(/2 files such as output\/.*\$MYCLOUD_OUTPUT/)]);
  });

  it('hears nothing of an output folder that its code brought along', async () => {
    mkdirSync(path.join(folder, 'output'));
    writeFileSync(path.join(folder, 'output/old.txt'), 'old\n');
    const saved = await uploadFolder({ client: world.api.snapshots.client, dir: folder });
    rmSync(path.join(folder, 'output'), { recursive: true });
    const attempt = await world.finished(
      world.submit('cat output/old.txt', { code: { snapshotId: saved.snapshotId, snapshot: saved.hash } }),
    );
    expect(jobLines(attempt)).toEqual(['old']);
    expect(systemLines(attempt).join()).not.toContain('warning: nothing was written');
  });

  it('takes a lone mount of another name as its input', async () => {
    const mounts = [{ name: 'photos', ...snapshot }];
    const attempt = await world.finished(
      world.submit('cat $MYCLOUD_INPUT/a.txt; basename $MYCLOUD_INPUT', { mounts }),
    );
    expect(jobLines(attempt)).toEqual(['first', 'photos']);
  });

  it('can not poison the input of the next job', async () => {
    const mounts = [{ name: 'input', ...snapshot }];
    const bad =
      'chmod -R u+w $MYCLOUD_INPUT; echo poison >$MYCLOUD_INPUT/a.txt; rm -rf $MYCLOUD_INPUT/*; true';
    await world.finished(world.submit(bad, { mounts }));
    const next = await world.finished(world.submit('cat $MYCLOUD_INPUT/a.txt', { mounts }));
    expect(jobLines(next)).toEqual(['first']);
  });

  it('gets its own variables, and no secret of the worker', async () => {
    const attempt = await world.finished(world.submit('env', { env: { LEARNING_RATE: '0.1' } }));
    const env = jobLines(attempt).join('\n');
    expect(env).toContain('LEARNING_RATE=0.1');
    expect(env).toContain('FLOYDHUB=1');
    expect(env).toContain('MYCLOUD_JOB=lab/projects/x/1');
    expect(env).toContain('MYCLOUD_ATTEMPT=1');
    expect(env).not.toContain('secret-of-the-worker');
    expect(env).not.toContain('hidden');
  });

  it('has a home it can write', async () => {
    const attempt = await world.finished(world.submit(`touch "$HOME/x" && ls "$HOME"`));
    expect(jobLines(attempt)).toEqual(['x']);
  });

  it('writes files that belong to the user of the worker', async () => {
    const command =
      'for d in $MYCLOUD_OUTPUT $MYCLOUD_CODE $HOME $TMPDIR; do touch $d/x; stat -c %u:%g $d/x; done';
    const attempt = await world.finished(world.submit(command));
    const own = `${process.getuid?.()}:${process.getgid?.()}`;
    expect(jobLines(attempt)).toEqual([own, own, own, own]);
  });

  it.runIf(runner !== 'docker')('finds node', async () => {
    const attempt = await world.finished(world.submit(`node -p '1 + 1'`));
    expect(jobLines(attempt)).toEqual(['2']);
  });

  it('goes on from the output of the attempt before', async () => {
    const command = 'cat $MYCLOUD_OUTPUT/a.txt; echo second >>$MYCLOUD_OUTPUT/a.txt; echo $MYCLOUD_ATTEMPT';
    const attempt = await world.finished(world.submit(command, { restore: snapshot, attempt: 2 }));
    expect(jobLines(attempt)).toEqual(['first', '2']);
    expect(attempt.finish?.reason).toBe('exit_zero');
  });

  it.runIf(runner !== 'process')('sees nothing of the worker, and can not write to the host', async () => {
    const home = world.home;
    const command = `ls ${home}/attempts /root /work 2>/dev/null; ls /proc | grep -c '^[0-9]'; touch /usr/x /input/x /x; true`;
    const attempt = await world.finished(world.submit(command, { mounts: [{ name: 'input', ...snapshot }] }));
    const lines = jobLines(attempt).filter((line) => !line.startsWith('touch:'));
    expect(lines.length).toBeGreaterThan(0);
    expect(Number(lines.at(-1))).toBeLessThan(10);
    expect(jobLines(attempt).filter((line) => line.startsWith('touch:')).length).toBe(3);
  });

  it('syncs its output while it runs, once for each change', async () => {
    await world.start(runner, {
      MYCLOUD_WORKER_HOME: path.join(world.home, 'second'),
      MYCLOUD_WORKER_MACHINES: 'cpu2',
      MYCLOUD_OUTPUT_SYNC_SECONDS: '0.1',
    });
    const machine = { name: 'cpu2', cores: 2, memoryBytes: 2 ** 31, gpus: 0 };
    const jobId = world.submit('echo 1 >$MYCLOUD_OUTPUT/a; sleep 1000', { machine });
    await until(() => world.attempt(jobId)?.synced.length, 'the output to be synced');
    await until(() => world.api.streams() > 1, 'the command stream');
    world.stopJob(jobId);
    expect((await world.finished(jobId)).synced.length).toBe(1);
  });

  it('leaves nothing in the attempts of the worker', async () => {
    await vi.waitUntil(() => readdirSync(path.join(world.home, 'attempts')).length === 0, {
      timeout: 30_000,
    });
    expect(readFileSync(path.join(folder, 'a.txt'), 'utf8')).toBe('first\n');
  });
});
