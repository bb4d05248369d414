import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { type Client, snapshotRoutes } from '@mycloud/shared';
import { uploadFolder } from '@mycloud/snapshots';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startPostgres, type TestPostgres } from '../../../test/support/postgres.js';
import { type RunningApi, startApi } from './support/api.js';
import { refused } from './support/refused.js';

let postgres: TestPostgres;
let api: RunningApi;
let ann: Client;
let dir: string;
let before: string;
let after: string;

beforeAll(async () => {
  postgres = await startPostgres();
  api = await startApi((await postgres.createDatabase()).url);
  ann = await api.user('ann');
  dir = await mkdtemp(path.join(os.tmpdir(), 'mycloud-diff-'));
  const write = (name: string, text: string) => writeFile(path.join(dir, name), text);
  await mkdir(path.join(dir, 'lib'));
  await write('train.py', 'lr = 0.1\n');
  await write('same.py', 'pass\n');
  await write('old.py', 'old\n');
  before = (await uploadFolder({ client: ann, dir })).snapshotId;
  await write('train.py', 'lr = 0.01\n');
  await write('lib/new.py', 'new\n');
  await rm(path.join(dir, 'old.py'));
  await symlink('same.py', path.join(dir, 'link'));
  after = (await uploadFolder({ client: ann, dir })).snapshotId;
});
afterAll(async () => {
  await rm(dir, { recursive: true, force: true });
  await api.close();
  await postgres.stop();
});

const diff = (as: Client, id: string, other: string, query = {}) =>
  as.call(snapshotRoutes.diff, { params: { id, other }, query });

it('two trees differ in files, told with their sizes, folders left out', async () => {
  expect(await diff(ann, before, after)).toEqual({
    total: 4,
    items: [
      { path: 'lib/new.py', change: 'added', before: null, after: 4 },
      { path: 'link', change: 'added', before: null, after: null },
      { path: 'old.py', change: 'removed', before: 4, after: null },
      { path: 'train.py', change: 'changed', before: 9, after: 10 },
    ],
  });
  expect(await diff(ann, after, after)).toEqual({ total: 0, items: [] });
});

it('only so many paths are listed as are asked for, and all are counted', async () => {
  const part = await diff(ann, before, after, { limit: 1 });
  expect([part.total, part.items.length]).toEqual([4, 1]);
});

it('is for who may read both', async () => {
  const bob = await api.user('bob');
  const mine = (await uploadFolder({ client: bob, dir })).snapshotId;
  expect((await refused(diff(bob, mine, before))).code).toBe('not_found');
  expect((await refused(diff(bob, before, mine))).code).toBe('not_found');
});
