import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { storageRoutes } from '@mycloud/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { descendants } from './support/processes.js';
import { wantProgram } from './support/require.js';
import { eventually, startServer, type TestServer } from './support/server.js';
import { bucketEnv, type RunningService, startMinio } from './support/services.js';

/** Enough packs that an upload can be caught in the middle. */
const files = 24;
const fileBytes = 8_000_000;

describe.each(['directory', 's3'] as const)('an upload to the %s store goes on where it was', (kind) => {
  const missing = kind === 's3' && !wantProgram('minio');
  let minio: RunningService | undefined;
  let server: TestServer;
  let round = 0;

  beforeAll(async () => {
    if (missing) return;
    minio = kind === 's3' ? await startMinio() : undefined;
    server = await startServer({
      env: minio && bucketEnv(minio, 'mycloud'),
    });
  });
  afterAll(async () => {
    await server?.remove();
    await minio?.stop();
  });

  /** Of packs that are committed: what an upload that goes on need not send again. */
  async function stored(): Promise<number> {
    return (await (await server.client()).call(storageRoutes.mine, {})).storedBytes;
  }

  async function plant(): Promise<string> {
    round += 1;
    const dir = path.join(server.folder, `data${round}`);
    await mkdir(dir);
    for (let i = 0; i < files; i++) await writeFile(path.join(dir, `f${i}`), randomBytes(fileBytes));
    return dir;
  }

  /** Starts an upload, waits until some of it is stored, and breaks something. @returns whether the command failed */
  async function breakOff(dir: string, how: (pid: number) => Promise<void>): Promise<boolean> {
    const before = await stored();
    const upload = server.start(['data', 'upload', `d${round}`, '--dir', dir]);
    const ended = once(upload, 'close');
    await eventually('some packs are committed', async () => (await stored()) >= before + 2 * fileBytes);
    await how(upload.pid!);
    const [code] = await ended;
    return code !== 0;
  }

  async function expectWhole(dir: string): Promise<void> {
    const target = path.join(server.folder, `back${round}`);
    expect((await server.cli(['data', 'clone', `d${round}`, target])).code).toBe(0);
    const hash = async (file: string) =>
      createHash('sha256')
        .update(await readFile(file))
        .digest('hex');
    for (const name of await readdir(dir))
      expect(await hash(path.join(target, name)), name).toBe(await hash(path.join(dir, name)));
    await rm(target, { recursive: true });
    await rm(dir, { recursive: true });
  }

  it.skipIf(missing)('when the command line is killed', async () => {
    const dir = await plant();
    expect(await breakOff(dir, async (pid) => void process.kill(pid, 'SIGKILL'))).toBe(true);
    const { code, stderr } = await server.cli(['data', 'upload', `d${round}`, '--dir', dir]);
    expect(code, stderr).toBe(0);
    const [, sent] = /192\.0 MB; (\d+\.\d) MB were new/.exec(stderr) ?? [];
    // What was committed is not sent again.
    expect(Number(sent)).toBeLessThan(180);
    await expectWhole(dir);
  });

  it.skipIf(missing)('when the api is killed, by itself or by the same command', async () => {
    const dir = await plant();
    const failed = await breakOff(dir, async () => {
      for (const pid of descendants(server.pid, /api\/dist\/main\.js/)) process.kill(pid, 'SIGKILL');
    });
    await eventually('the api is back', async () =>
      fetch(`${server.url}/health`).then(
        (answer) => answer.ok,
        () => false,
      ),
    );
    if (failed) expect((await server.cli(['data', 'upload', `d${round}`, '--dir', dir])).code).toBe(0);
    await expectWhole(dir);
  });

  it.runIf(kind === 's3' && !missing)('when MinIO is killed', async () => {
    const dir = await plant();
    const failed = await breakOff(dir, async () => {
      await minio?.kill();
      await minio?.revive();
    });
    if (failed) expect((await server.cli(['data', 'upload', `d${round}`, '--dir', dir])).code).toBe(0);
    await expectWhole(dir);
  });
});
