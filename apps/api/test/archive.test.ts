import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { snapshotRoutes } from '@mycloud/shared';
import { uploadFolder } from '@mycloud/snapshots';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type RunningApi, startApiAlone } from './support/api.js';
import { refused } from './support/refused.js';

let api: RunningApi;
let base: string;
let id: string;
const large = randomBytes(3_000_000);

beforeAll(async () => {
  api = await startApiAlone();
  base = await mkdtemp(path.join(os.tmpdir(), 'mycloud-archive-'));
  const dir = path.join(base, 'tree');
  await mkdir(path.join(dir, 'Grüße/empty'), { recursive: true });
  await writeFile(path.join(dir, 'Grüße/large.bin'), large);
  await writeFile(path.join(dir, 'nothing'), '');
  await writeFile(path.join(dir, 'run'), '#!/bin/sh\n');
  await chmod(path.join(dir, 'run'), 0o755);
  await symlink('run', path.join(dir, 'link'));
  id = (await uploadFolder({ client: api.admin, dir })).snapshotId;
});
afterAll(async () => {
  await rm(base, { recursive: true, force: true });
  await api.close();
});

const fetchArchive = async (format: 'tar' | 'zip', folder = ''): Promise<string> => {
  const query = { format, path: folder };
  const answer = await api.admin.open(snapshotRoutes.archive, { params: { id }, query });
  const file = path.join(base, `${folder || 'all'}.${format}`);
  await writeFile(file, Buffer.from(await answer.arrayBuffer()));
  return file;
};

it.each([
  ['tar', (file: string, into: string) => execFileSync('tar', ['-xf', file, '-C', into])],
  [
    'zip',
    (file: string, into: string) =>
      execFileSync('python3', [
        '-c',
        `import sys, zipfile, os
z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None
for i in z.infolist():
    mode = i.external_attr >> 16
    to = os.path.join(sys.argv[2], i.filename)
    if mode & 0o170000 == 0o120000: os.symlink(z.read(i).decode(), to)
    else:
        z.extract(i, sys.argv[2])
        if not i.is_dir(): os.chmod(to, mode & 0o777)`,
        file,
        into,
      ]),
  ],
] as const)('gives a whole tree as a %s that other programs unpack', async (format, unpack) => {
  const into = path.join(base, `un${format}`);
  await mkdir(into);
  unpack(await fetchArchive(format), into);
  expect((await readFile(path.join(into, 'Grüße/large.bin'))).equals(large)).toBe(true);
  expect((await stat(path.join(into, 'Grüße/empty'))).isDirectory()).toBe(true);
  expect((await stat(path.join(into, 'nothing'))).size).toBe(0);
  expect((await stat(path.join(into, 'run'))).mode & 0o777).toBe(0o755);
  expect(await readlink(path.join(into, 'link'))).toBe('run');
});

it('gives one folder, and says when there is none', async () => {
  const names = execFileSync('tar', ['-tf', await fetchArchive('tar', 'Grüße')], {
    encoding: 'utf8',
    env: { LANG: 'C.UTF-8' },
  });
  expect(names.trim().split('\n')).toHaveLength(3);
  expect((await refused(fetchArchive('tar', 'gone'))).code).toBe('not_found');
});
