import { randomBytes } from 'node:crypto';
import { appendFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type GarbageReport, type Job, jobRoutes, type Version } from '@mycloud/shared';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually, startServer, type TestServer } from './support/server.js';

let server: TestServer;
beforeAll(async () => {
  server = await startServer({
    env: { MYCLOUD_OUTPUT_SYNC_SECONDS: '1', MYCLOUD_GC_GRACE_SECONDS: '0' },
  });
  await server.json(['init', 'cats']);
});
afterAll(() => server?.remove());

/** Runs a command on the code of the user's folder and waits for its end. */
async function run(command: string, ...flags: string[]): Promise<Job> {
  const job = await server.json<Job>(['run', ...flags, command]);
  const ended = await eventually(`job ${job.number} ends`, async () => {
    const now = await server.json<Job>(['info', String(job.number)]);
    return now.finishedAt ? now : undefined;
  });
  expect(ended.status, ended.message ?? '').toBe('succeeded');
  return ended;
}

it('sends bytes when one line of 200 MB of code changes, and says so', async () => {
  const cwd = await server.project('large');
  for (let i = 0; i < 4; i++) await writeFile(path.join(cwd, `weights-${i}.bin`), randomBytes(50_000_000));
  for (let i = 0; i < 200; i++) {
    await mkdir(path.join(cwd, `src/${i}`), { recursive: true });
    await writeFile(path.join(cwd, `src/${i}/model.py`), `${i}\n`.repeat(500));
  }
  await writeFile(path.join(cwd, 'train.py'), 'epochs = 1\nprint(epochs)\n');
  const first = await server.cli(['run', 'true'], { cwd });
  expect(first.stderr).toMatch(/207 files, 200\.\d MB; 200\.\d MB were new\./);
  await writeFile(path.join(cwd, 'train.py'), 'epochs = 2\nprint(epochs)\n');
  const second = await server.cli(['run', 'true'], { cwd });
  expect(second.stderr).toMatch(/207 files, 200\.\d MB; 2\d B were new\./);

  const { stdout } = await server.cli(['diff', 'job/1', 'job/2'], { cwd });
  expect(stdout).toContain('~ train.py');
  expect(stdout).toContain('-epochs = 1\n+epochs = 2\n');
  expect(stdout).not.toContain('model.py');
  expect(await server.json(['diff', '1', '2'], { cwd })).toMatchObject({
    added: [],
    removed: [],
    changed: ['train.py'],
  });
  expect((await server.cli(['diff', '1', '1'], { cwd })).stdout).toContain('are the same');
});

it('mounts the output of one job in another, and makes it a dataset without moving a byte', async () => {
  const made = await run(
    'echo weights > "$MYCLOUD_OUTPUT/model.h5"; mkdir "$MYCLOUD_OUTPUT/logs"; echo 1 > "$MYCLOUD_OUTPUT/logs/a"',
  );
  const user = await run(
    'cat "$MYCLOUD_INPUT_MODEL/model.h5" 2>/dev/null || cat /model/model.h5 2>/dev/null || cat model/model.h5',
    '--data',
    `${made.name}/output:model`,
  );
  expect(user.mounts).toEqual([
    { name: 'model', source: `${made.name}/output`, snapshotId: made.outputSnapshotId },
  ]);
  expect((await server.cli(['logs', String(user.number)])).stdout).toContain('weights');

  const version = await server.json<Version>(['data', 'add', String(made.number), 'models']);
  expect(version).toMatchObject({ number: 1, files: 2, snapshotId: made.outputSnapshotId });
  const next = await run('echo better > "$MYCLOUD_OUTPUT/model.h5"');
  await server.json(['data', 'add', `cats/${next.number}/output`, 'models', '-m', 'better']);
  expect(await server.json(['data', 'diff', 'models/2'])).toMatchObject({
    removed: ['logs', 'logs/a'],
    changed: ['model.h5'],
  });
  const listed = await server.cli(['data', 'status', 'models']);
  expect(listed.stdout).toMatch(/VERSION\s+FILES\s+SIZE\s+STORED/);
  expect(listed.stderr).toMatch(/All you store: .* which take up/);

  expect((await server.cli(['data', 'clone', 'models/1'])).code).toBe(0);
  expect(await readFile(path.join(server.folder, 'models/logs/a'), 'utf8')).toBe('1\n');
  expect((await readdir(path.join(server.folder, 'models'))).sort()).toEqual(['logs', 'model.h5']);
});

it('saves an output while the job runs, and of a file that grows only its tail', async () => {
  const client = await server.client();
  const job = await server.json<Job>([
    'run',
    'head -c 12000000 /dev/urandom > "$MYCLOUD_OUTPUT/log"; while [ ! -e "$MYCLOUD_OUTPUT/stop" ]; do sleep 0.2; done',
  ]);
  const params = { owner: job.owner, project: 'cats', number: job.number };
  const saved = (before: string | null) =>
    eventually('its output is saved', async () => {
      const { outputSnapshotId } = await client.call(jobRoutes.get, { params });
      return outputSnapshotId !== before ? (outputSnapshotId ?? undefined) : undefined;
    });
  const stored = async () =>
    (await server.json<{ storage: { storedBytes: number } }>(['data', 'status', 'models'])).storage
      .storedBytes;
  const first = await saved(null);
  const before = await stored();
  const output = await outputOf(job);
  await appendFile(path.join(output, 'log'), randomBytes(1000));
  await saved(first);
  // The tail: the last chunk, which is cut at 2 MiB at the latest.
  expect((await stored()) - before).toBeLessThan(2.2 * 2 ** 20);
  await writeFile(path.join(output, 'stop'), '');
  await server.ended(job);
});

/** Where its worker keeps the output of a running job. */
async function outputOf(job: Job): Promise<string> {
  const data = server.cluster && path.join(server.cluster.base, 'data');
  const homes = data
    ? ['worker-1', 'worker-2'].map((name) => path.join(data, name))
    : [path.join(server.home, 'worker')];
  for (const attempts of homes.map((home) => path.join(home, 'attempts'))) {
    const names = await readdir(attempts).catch(() => [] as string[]);
    const name = names.find((entry) => entry.startsWith(job.id));
    if (name) return path.join(attempts, name, 'output');
  }
  throw new Error(`no worker has ${job.name}`);
}

it('frees what is deleted, and says before what it would free', async () => {
  await mkdir(path.join(server.folder, 'src'));
  await writeFile(path.join(server.folder, 'src/.floydignore'), 'secret.txt\n');
  await writeFile(path.join(server.folder, 'src/secret.txt'), 'data honours ignore files too');
  await server.json(['data', 'upload', 'old', '--dir', path.join(server.folder, 'src')]);
  const listed = await server.cli(['data', 'files', 'old']);
  expect(listed.stdout).toContain('.floydignore');
  expect(listed.stdout).not.toContain('secret.txt');
  await writeFile(path.join(server.folder, 'src/big'), randomBytes(3_000_000));
  await server.json(['data', 'upload', 'old', '--dir', path.join(server.folder, 'src')]);
  await server.json(['data', 'delete', 'old/2', '-y']);
  await server.json(['admin', 'gc']);
  const would = await server.json<GarbageReport>(['admin', 'gc', '--dry-run']);
  expect(would.deletedSnapshots).toBeGreaterThan(0);
  await server.json(['admin', 'gc']);
  const freed = await server.json<GarbageReport>(['admin', 'gc']);
  expect(freed.freedBytes).toBeGreaterThanOrEqual(3_000_000);
  expect((await server.cli(['admin', 'gc'])).stdout).toContain('freed');
  expect((await server.cli(['admin', 'quota', 'nobody', '5GB'])).code).toBe(1);
});
