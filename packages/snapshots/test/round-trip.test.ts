import { chmod, lstat, mkdir, symlink } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { fetchManifest, materialize, uploadFolder } from '../src/index.js';
import { noise, picture, plant, useWorld } from './support/world.js';

const world = useWorld();

it('gives an odd tree back as it was', async () => {
  const source = path.join(world.dir, 'source');
  await plant(source, {
    empty: '',
    'new\nline "quoted" \\back': 'x',
    'Grüße/日本語/\u{1F408}.txt': 'miau',
    [`${'n'.repeat(255)}`]: 'long',
    [`deep/${'d/'.repeat(60)}leaf`]: 'leaf',
    'train.py': '#!/usr/bin/env python\n',
    case: 'lower',
    CASE: 'upper',
    'twice/a': noise(300_000, 'twin'),
    'twice/b': noise(300_000, 'twin'),
    'zeros.bin': Buffer.alloc(9_000_000),
    'large.bin': noise(11_000_003, 'large'),
    'exactly.bin': noise(1024 * 1024, 'exactly'),
  });
  await mkdir(path.join(source, 'empty folder/in here'), { recursive: true });
  await chmod(path.join(source, 'train.py'), 0o755);
  await symlink('train.py', path.join(source, 'run'));
  await symlink('../large.bin', path.join(source, 'twice/large'));
  await symlink('gone', path.join(source, 'dangling'));

  const up = await uploadFolder({ client: world.api.client, dir: source });
  expect(up).toMatchObject({ files: 13, skipped: [] });

  const target = path.join(world.dir, 'target');
  await materialize({ client: world.api.client, snapshotId: up.snapshotId, hash: up.hash, dir: target });
  expect(await picture(target)).toEqual(await picture(source));

  const again = await uploadFolder({ client: world.api.client, dir: target });
  expect(again).toMatchObject({ hash: up.hash, sentBytes: 0, newChunks: 0 });
});

it('fetches only what is selected, read-only where asked, over what lies there', async () => {
  const source = path.join(world.dir, 'source');
  await plant(source, { 'a/x': 'new', 'a/y': 'y', 'b/z': 'z' });
  const up = await uploadFolder({ client: world.api.client, dir: source });
  const target = path.join(world.dir, 'target');
  await plant(target, { 'a/x': 'old', mine: 'mine' });
  const seen: number[] = [];
  await materialize({
    client: world.api.client,
    snapshotId: up.snapshotId,
    dir: target,
    select: (name) => name.startsWith('a/'),
    readOnly: true,
    onProgress: (progress) => seen.push(progress.files),
  });
  expect(Object.keys(await picture(target))).toEqual(['a', 'a/x', 'a/y', 'mine']);
  expect((await lstat(path.join(target, 'a/x'))).mode & 0o777).toBe(0o444);
  expect((await lstat(path.join(target, 'a/x'))).size).toBe(3);
  expect(seen).toEqual([1, 2]);
});

it('an empty folder is a snapshot of nothing; the caller decides what that means', async () => {
  const source = path.join(world.dir, 'source');
  await mkdir(source);
  const up = await uploadFolder({ client: world.api.client, dir: source });
  expect(up).toMatchObject({ files: 0, bytes: 0 });
  expect(await fetchManifest(world.api.client, up.snapshotId)).toEqual([]);
});
