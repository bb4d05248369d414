import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { onCluster, startServer, type TestServer } from './support/server.js';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  await server.json(['init', 'cats']);
  await mkdir(path.join(server.folder, 'pictures'));
  await writeFile(path.join(server.folder, 'pictures/one.txt'), 'one');
  await server.json(['data', 'upload', 'dogsvscats', '--dir', 'pictures']);
});
afterAll(() => server?.remove());

/** Runs it, expects a failure that says `says`, and no stack trace. */
async function refused(
  args: string[],
  says: RegExp,
  code = 1,
  env: Record<string, string> = {},
): Promise<void> {
  const result = await server.cli(args, { env });
  expect(result.stderr).toMatch(says);
  expect(result.code).toBe(code);
  expect(result.stderr).not.toMatch(/\n {4}at /);
}

describe('each mistake is told, with what to do', () => {
  it('a wrong token', () =>
    refused(['status'], /token/i, 4, { MYCLOUD_TOKEN: 'myc_wrong', MYCLOUD_URL: server.url }));
  it('an unknown dataset, with the nearest name', () =>
    refused(['run', '--data', 'dogsvcats:input', 'true'], /dogsvscats/));
  it('an unknown version', () => refused(['run', '--data', 'dogsvscats/7:input', 'true'], /7/));
  it('an unknown environment, with the nearest name', () =>
    refused(['run', '--env', 'kerras-2.15', 'true'], /keras-2\.15/));
  it('an unknown job', () => refused(['info', 'cats/99'], /99/));
  it('a mount given twice', () =>
    refused(['run', '--data', 'dogsvscats:input', '--data', 'dogsvscats/1:input', 'true'], /twice/));
  it('a mount over the system', () => refused(['run', '--data', 'dogsvscats:etc', 'true'], /etc|belongs/));
  it('an empty dataset folder', async () => {
    await mkdir(path.join(server.folder, 'empty'), { recursive: true });
    await refused(['data', 'upload', 'nothing', '--dir', 'empty'], /empty|no files/i);
  });
  it('a dataset folder that is not there', () =>
    refused(['data', 'upload', 'nothing', '--dir', 'nowhere'], /nowhere/));
  it('a flag that does not exist', () => refused(['run', '--gpus', 'true'], /--gpus/, 2));
  it.skipIf(onCluster)('a second server on the same home', async () => {
    const result = await server.cli(['up', '--home', server.home, '--port', '0']);
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/running/);
  });
  it('a port that is taken', async () => {
    const result = await server.cli([
      'up',
      '--home',
      path.join(server.folder, 'other'),
      '--port',
      new URL(server.url).port,
    ]);
    expect(result.code).toBe(1);
    expect(result.stderr).toMatch(/port/i);
  });
});

describe('a command', () => {
  const end = async (command: string, ...flags: string[]) => {
    const result = await server.cli(['run', '--follow', '--exit-status', ...flags, command]);
    const { items } = await server.json<{ items: { status: string; reason: string; message: string }[] }>([
      'status',
    ]);
    return { ...result, job: items[0]! };
  };

  it('that exits 3 ends the job as failed, and the follower with 3', async () => {
    expect(await end('echo oh; exit 3')).toMatchObject({
      code: 3,
      job: { status: 'failed', reason: 'exit_nonzero', message: expect.stringContaining('3') },
    });
  });
  it('that does not exist is named', async () => {
    expect(await end('no-such-program --flag')).toMatchObject({
      job: {
        status: 'failed',
        reason: 'command_not_found',
        message: expect.stringContaining('no-such-program'),
      },
    });
  });
  it('that is killed says by what', async () => {
    expect(await end('kill -9 $$')).toMatchObject({
      job: { status: 'failed', reason: 'killed_by_signal', message: expect.stringContaining('SIGKILL') },
    });
  });
  it('that runs too long is timed out, its output kept', async () => {
    expect(await end('echo kept > "$MYCLOUD_OUTPUT/kept"; sleep 100', '--max-runtime', '1')).toMatchObject({
      job: { status: 'timed_out', reason: 'max_runtime' },
    });
  });
  it('that trains on a folder of one class is told what is expected', async () => {
    const { stdout, job } = await end('train --epochs 1', '--data', 'dogsvscats:input');
    expect(job.status).toBe('failed');
    expect(stdout).toMatch(/train/);
    expect(stdout).not.toMatch(/\n {4}at /);
  });
});
