import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { materialize } from '@mycloud/snapshots';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { carrying } from '../../../test/support/processes.js';
import { jobLines, runners, until, World } from './support/world.js';

describe.each(runners)('how a job ends, by the %s runner', (runner) => {
  let world: World;
  beforeAll(async () => {
    world = await World.open();
    await world.start(runner, { MYCLOUD_SLOTS: '8' });
  });
  afterAll(() => world.close());

  const ends: [command: string, reason: string, detail: string, exitCode: number][] = [
    ['echo hello', 'exit_zero', '', 0],
    ['exit 3', 'exit_nonzero', '3', 3],
    ['kill -SEGV $$', 'killed_by_signal', 'SIGSEGV', 139],
    ['no-such-program --now', 'command_not_found', 'no-such-program: command not found', 127],
  ];
  it.each(ends)('%s → %s %s', async (command, reason, detail, exitCode) => {
    const attempt = await world.finished(world.submit(command));
    expect(attempt.finish).toMatchObject({ reason, detail, exitCode, lastSeq: attempt.lines.length });
    // A stage that is over in a moment may be left to the end, which says when the command began.
    expect(['running', 'saving'].filter((stage) => attempt.statuses.includes(stage))).toEqual(
      attempt.statuses,
    );
    expect(attempt.finish?.startedAt).toBeGreaterThan(Date.now() - 60_000);
    expect(attempt.lines.map((line) => line.seq)).toEqual(attempt.lines.map((_, index) => index + 1));
  });

  it('tells that a job runs while it runs', async () => {
    const jobId = world.submit('echo begun; sleep 0.5');
    await world.line(jobId, 'begun');
    await until(() => world.attempt(jobId)?.statuses[0] === 'running', 'it to be told');
    expect(world.attempt(jobId)?.finish).toBeNull();
    await world.finished(jobId);
  });

  it('says first, as the system, what is prepared', async () => {
    const attempt = await world.finished(world.submit('echo hello', { notes: ['no GPU here'] }));
    expect(attempt.lines[0]).toMatchObject({ source: 'system', text: 'no GPU here' });
    expect(attempt.lines[1]?.text).toContain('machine cpu');
    expect(attempt.lines[1]?.text).toContain(`runner ${runner}`);
    expect(jobLines(attempt)).toEqual(['hello']);
  });

  it('keeps the output of a job that failed', async () => {
    const attempt = await world.finished(world.submit('echo kept >$MYCLOUD_OUTPUT/a.txt; exit 7'));
    expect(attempt.finish).toMatchObject({ reason: 'exit_nonzero', detail: '7' });
    const dir = mkdtempSync(path.join(tmpdir(), 'worker-test-'));
    await materialize({
      client: world.api.snapshots.client,
      snapshotId: String(attempt.finish?.outputSnapshotId),
      dir: path.join(dir, 'out'),
    });
    expect(readFileSync(path.join(dir, 'out/a.txt'), 'utf8')).toBe('kept\n');
    rmSync(dir, { recursive: true });
  });

  it('gives its place to the next while its output is saved', async () => {
    let arrive = (): void => undefined;
    world.api.bytes = new Promise((resolve) => {
      arrive = resolve;
    });
    const all = Array.from({ length: 9 }, () => world.submit('echo x >$MYCLOUD_OUTPUT/x; echo done'));
    for (const jobId of all) await world.line(jobId, 'done');
    expect(all.map((jobId) => world.attempt(jobId)?.finish)).toEqual(all.map(() => null));
    arrive();
    for (const jobId of all) expect((await world.finished(jobId)).finish?.reason).toBe('exit_zero');
  });

  it('stops a job that traps SIGTERM by letting it say goodbye, and saves', async () => {
    const jobId = world.submit(
      `trap 'echo bye; echo x >$MYCLOUD_OUTPUT/last; exit 0' TERM; echo ready; while :; do sleep 0.05; done`,
    );
    await world.line(jobId, 'ready');
    await until(() => world.api.streams() > 0, 'the command stream');
    world.stopJob(jobId);
    const attempt = await world.finished(jobId);
    expect(attempt.finish).toMatchObject({ reason: 'stopped_by_user', detail: 'anna', exitCode: 0 });
    expect(attempt.finish?.outputSnapshotId).not.toBeNull();
    expect(jobLines(attempt)).toContain('bye');
  });

  it('kills a job that ignores SIGTERM, with the children that left its session', async () => {
    const file = `$MYCLOUD_OUTPUT/beat`;
    const jobId = world.submit(
      `trap '' TERM; (setsid sh -c 'trap "" TERM; while :; do echo x >>${file}; sleep 0.05; done' &) ; echo ready; while :; do sleep 0.05; done`,
    );
    await world.line(jobId, 'ready');
    await until(() => world.api.streams() > 0, 'the command stream');
    world.stopJob(jobId);
    const attempt = await world.finished(jobId);
    expect(attempt.finish).toMatchObject({ reason: 'stopped_by_user', exitCode: 137 });
    expect(processesWith(jobId)).toEqual([]);
  });

  it('takes away what a job left running behind it', async () => {
    const jobId = world.submit(`(setsid sleep 1000 >/dev/null 2>&1 &); (sleep 1000 &); echo done`);
    const attempt = await world.finished(jobId);
    expect(attempt.finish?.reason).toBe('exit_zero');
    await until(() => processesWith(jobId).length === 0, 'its children to be gone');
  });

  it('ends a job at its max runtime', async () => {
    const attempt = await world.finished(world.submit('sleep 1000', { maxRuntimeSeconds: 1 }));
    expect(attempt.finish).toMatchObject({ reason: 'max_runtime', detail: '1 s' });
  });

  it('names the input that is not there', async () => {
    const mounts = [{ name: 'input', snapshotId: crypto.randomUUID(), snapshot: 'a'.repeat(64) }];
    const attempt = await world.finished(world.submit('true', { mounts }));
    expect(attempt.finish?.reason).toBe('input_missing');
    expect(attempt.finish?.detail).toContain('/input');
  });

  it('ends an execution whose lease is over, and writes nothing more for it', async () => {
    const jobId = world.submit('echo ready; sleep 1000');
    await world.line(jobId, 'ready');
    const attempt = world.attempt(jobId);
    if (attempt) attempt.stale = true;
    await until(() => processesWith(jobId).length === 0, 'the job to be killed');
    expect(attempt?.finish).toBeNull();
    expect(attempt?.writesWhenStale).toBeLessThanOrEqual(1);
  });
});

const processesWith = (jobId: string): number[] => carrying(`MYCLOUD_EXECUTION=${jobId}`);
