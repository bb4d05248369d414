import { link, mkdir, readFile, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { mayMount, mountSmall } from '../../../test/support/small-disk.js';
import { materialize, uploadFolder } from '../src/index.js';
import { caseTwins } from '../src/tree-rules.js';
import { noise, picture, plant, useWorld } from './support/world.js';

const MiB = 2 ** 20;
const world = useWorld();
const source = (): string => path.join(world.dir, 'source');
const target = (): string => path.join(world.dir, 'target');
const upload = (more: object = {}) => uploadFolder({ client: world.api.client, dir: source(), ...more });

it('hard links are files of their own that are stored once', async () => {
  await plant(source(), { a: noise(2 * MiB, 'a') });
  await link(path.join(source(), 'a'), path.join(source(), 'b'));
  const up = await upload();
  expect(up).toMatchObject({ files: 2, bytes: 4 * MiB, sentBytes: 2 * MiB });
  await materialize({ client: world.api.client, snapshotId: up.snapshotId, dir: target() });
  await writeFile(path.join(target(), 'a'), 'changed');
  expect((await readFile(path.join(target(), 'b'))).equals(noise(2 * MiB, 'a'))).toBe(true);
});

it('holes of a sparse file are read as zeros and cost one chunk', async () => {
  await plant(source(), { sparse: 'begins' });
  await truncate(path.join(source(), 'sparse'), 100 * MiB);
  const up = await upload();
  expect(up.bytes).toBe(100 * MiB);
  // The chunk that begins with a word, the one of zeros, and the last, which is shorter.
  expect(up.sentBytes).toBeLessThanOrEqual(12 * MiB);
  await materialize({ client: world.api.client, snapshotId: up.snapshotId, dir: target() });
  expect(await picture(target())).toEqual(await picture(source()));
});

it('names that differ only by case are told apart where they can be, and named where they can not', async () => {
  await plant(source(), { 'data/Cat.jpg': 'upper', 'data/cat.jpg': 'lower' });
  const up = await upload();
  expect(up.files).toBe(2);
  await materialize({ client: world.api.client, snapshotId: up.snapshotId, dir: target() });
  expect(await picture(target())).toEqual(await picture(source()));
  expect(caseTwins(['data', 'data/Cat.jpg', 'data/cat.jpg'])).toEqual(['data/Cat.jpg', 'data/cat.jpg']);
  expect(caseTwins(['e\u0301', '\u00e9'])).toBeDefined();
  expect(caseTwins(['a', 'b/a', 'b'])).toBeUndefined();
});

it('a folder of very many small files goes by few requests', async () => {
  await mkdir(source(), { recursive: true });
  for (let i = 0; i < 5000; i++) await writeFile(path.join(source(), String(i)), `file ${i}`);
  const up = await upload();
  expect(up.files).toBe(5000);
  expect(world.api.requests.length).toBeLessThan(20);
  await materialize({ client: world.api.client, snapshotId: up.snapshotId, dir: target() });
  expect(await picture(target())).toEqual(await picture(source()));
});

it.runIf(mayMount)('a full disk is said as such, and the download goes on once there is room', async () => {
  await plant(source(), { a: noise(3 * MiB, 'a'), b: noise(3 * MiB, 'b'), c: noise(3 * MiB, 'c') });
  const up = await upload();
  await mkdir(target());
  const disk = mountSmall(target(), '6m');
  try {
    const get = () => materialize({ client: world.api.client, snapshotId: up.snapshotId, dir: target() });
    await expect(get()).rejects.toMatchObject({ code: 'ENOSPC' });
    disk.resize('60m');
    await get();
    expect(await picture(target())).toEqual(await picture(source()));
  } finally {
    disk.unmount();
  }
});
