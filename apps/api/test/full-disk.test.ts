import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { storageRoutes } from '@mycloud/shared';
import { uploadFolder } from '@mycloud/snapshots';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startPostgres, type TestPostgres } from '../../../test/support/postgres.js';
import { type RunningApi, startApi } from './support/api.js';
import { refused } from './support/refused.js';

/** Only root may mount a file system that is too small. */
const mayMount = process.platform === 'linux' && process.getuid?.() === 0;
let postgres: TestPostgres;
let api: RunningApi;
let home: string;
let data: string;

beforeAll(async () => {
  if (!mayMount) return;
  postgres = await startPostgres();
  home = await mkdtemp(path.join(os.tmpdir(), 'mycloud-full-'));
  data = await mkdtemp(path.join(os.tmpdir(), 'mycloud-full-data-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=40m', 'tmpfs', home]);
  api = await startApi((await postgres.createDatabase()).url, { MYCLOUD_HOME: home });
});
afterAll(async () => {
  if (!mayMount) return;
  await api.close();
  execFileSync('umount', [home]);
  await postgres.stop();
  for (const dir of [home, data]) await rm(dir, { recursive: true, force: true });
});

it.runIf(mayMount)(
  'a full store says so, commits nothing it does not have, and goes on when there is room',
  async () => {
    for (let i = 0; i < 6; i++) await writeFile(path.join(data, `f${i}`), randomBytes(8_000_000));
    const error = await refused(uploadFolder({ client: api.admin, dir: data }));
    expect(error.message).toContain("the store's disk is full");
    const { storedBytes } = await api.admin.call(storageRoutes.mine, {});
    expect(storedBytes).toBeLessThan(40 * 2 ** 20);
    expect((await fetch(`${api.url}/health`)).status).toBe(503);
    execFileSync('mount', ['-o', 'remount,size=120m', home]);
    const sent = await uploadFolder({ client: api.admin, dir: data });
    expect(sent).toMatchObject({ files: 6, bytes: 48_000_000 });
    expect(sent.sentBytes).toBe(48_000_000 - storedBytes);
  },
  180_000,
);
