import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { storageRoutes } from '@mycloud/shared';
import { uploadFolder } from '@mycloud/snapshots';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { mayMount, mountSmall, type SmallDisk } from '../../../test/support/small-disk.js';
import { type RunningApi, startApiAlone } from './support/api.js';
import { refused } from './support/refused.js';

let api: RunningApi;
let home: string;
let disk: SmallDisk;
let data: string;

beforeAll(async () => {
  if (!mayMount) return;
  home = await mkdtemp(path.join(os.tmpdir(), 'mycloud-full-'));
  data = await mkdtemp(path.join(os.tmpdir(), 'mycloud-full-data-'));
  disk = mountSmall(home, '40m');
  api = await startApiAlone({ MYCLOUD_HOME: home });
});
afterAll(async () => {
  if (!mayMount) return;
  await api.close();
  disk.unmount();
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
    disk.resize('120m');
    const sent = await uploadFolder({ client: api.admin, dir: data });
    expect(sent).toMatchObject({ files: 6, bytes: 48_000_000 });
    expect(sent.sentBytes).toBe(48_000_000 - storedBytes);
  },
  180_000,
);
