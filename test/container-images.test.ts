import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkout } from './support/cluster/compose.js';
import { copiedFromCheckout, makeApp, readStages } from './support/cluster/dockerfile.js';
import { startPostgres, type TestPostgres } from './support/postgres.js';

const stages = readStages();

describe('the Dockerfile', () => {
  it('copies files that are there, the list of packages of every workspace among them', () => {
    const copied = copiedFromCheckout(stages);
    for (const file of copied) expect(existsSync(path.join(checkout, file)), file).toBe(true);
    expect(copied).toEqual(
      expect.arrayContaining(
        ['apps', 'packages'].flatMap((group) =>
          readdirSync(path.join(checkout, group)).map((name) => `${group}/${name}/package.json`),
        ),
      ),
    );
  });

  it('makes images that don’t run as root, and start a program of ours', () => {
    for (const name of ['api', 'worker']) {
      const { steps } = stages.find((stage) => stage.name === name)!;
      expect(steps.find(({ verb }) => verb === 'USER')?.rest).toBe('node');
      const command = JSON.parse(steps.find(({ verb }) => verb === 'CMD')!.rest) as string[];
      expect(command).toEqual(['node', `apps/${name}/dist/main.js`]);
    }
  });
});

describe('what lies in the images', () => {
  let root: string;
  let postgres: TestPostgres;
  beforeAll(async () => {
    root = await mkdtemp(path.join(os.tmpdir(), 'mycloud-images-'));
    postgres = await startPostgres();
  });
  afterAll(async () => {
    await postgres?.stop();
    await rm(root, { recursive: true, force: true });
  });

  /** Runs a program of an image. @returns its first line that says `until`, or how it ended */
  async function start(app: string, program: string, env: Record<string, string>, until: string) {
    const child = spawn(process.execPath, [program], {
      cwd: app,
      env: { PATH: process.env.PATH, HOME: root, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let errors = '';
    child.stderr.on('data', (bytes) => (errors += bytes));
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    let said: string | undefined;
    for await (const line of createInterface({ input: child.stdout })) {
      if (!line.includes(until)) continue;
      said = line;
      break;
    }
    return {
      said,
      errors: () => errors,
      async stop() {
        child.stdout.resume();
        child.kill('SIGTERM');
        return ended;
      },
    };
  }

  it('is all that an api needs: it migrates a database, serves the page and answers', async () => {
    const app = makeApp(root, 'api');
    const { url } = await postgres.createEmptyDatabase();
    const env = { DATABASE_URL: url, MYCLOUD_HOME: path.join(root, 'home'), MYCLOUD_PORT: '0' };
    const migrated = await start(app, 'apps/api/dist/migrate-main.js', env, 'up to date');
    expect(migrated.said, migrated.errors()).toContain('0020_cluster');
    expect(await migrated.stop()).not.toBe(1);
    const api = await start(app, 'apps/api/dist/main.js', env, '"ready"');
    expect(api.said, api.errors()).toBeDefined();
    const { url: address } = JSON.parse(api.said!) as { url: string };
    expect((await fetch(`${address}/health`)).status).toBe(200);
    expect(await (await fetch(address)).text()).toContain('<script type="module"');
    expect(await api.stop()).toBe(0);
    expect(await readdir(path.join(app, 'node_modules'))).not.toContain('vitest');
  }, 240_000);

  it('is all that a worker needs, the trainer among it', async () => {
    const app = makeApp(root, 'worker');
    const worker = await start(app, 'apps/worker/dist/main.js', {}, '"ready"');
    expect(worker.errors()).toContain('MYCLOUD_WORKER_TOKEN');
    const trainer = await start(app, 'packages/trainer/bin/train.mjs', {}, 'nothing');
    expect(trainer.errors()).not.toContain('ERR_MODULE_NOT_FOUND');
  }, 240_000);
});
