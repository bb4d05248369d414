import { chmod, lstat, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createClient } from '@mycloud/shared';
import { expect, it } from 'vitest';
import { materialize, openContentCache, type UploadResult, uploadFolder } from '../src/index.js';
import { noise, picture, plant, useWorld } from './support/world.js';

const world = useWorld();
const cacheDir = (): string => path.join(world.dir, 'cache');
const nobody = createClient({ url: 'http://127.0.0.1:1' });

async function stored(name: string, bytes = 10_000): Promise<UploadResult> {
  const dir = path.join(world.dir, name);
  await plant(dir, { 'sub/data': noise(bytes, name), run: '#!/bin/sh\n' });
  return await uploadFolder({ client: world.api.client, dir });
}

const manifests = (): number => world.api.requests.filter((r) => r.endsWith('/manifest')).length;

it('builds a tree once for all who ask at the same time, and never again', async () => {
  const up = await stored('data');
  const cache = await openContentCache(cacheDir(), { maxBytes: 1e9 });
  const mounts = await Promise.all(
    Array.from({ length: 5 }, () => cache.mount(world.api.client, up.snapshotId, up.hash)),
  );
  expect(manifests()).toBe(1);
  expect(new Set(mounts.map((mount) => mount.dir)).size).toBe(1);
  expect((await lstat(path.join(mounts[0]!.dir, 'sub/data'))).mode & 0o777).toBe(0o444);
  // No network at all: this client's server doesn't exist. Neither does a restart of the worker matter.
  await cache.mount(nobody, up.snapshotId, up.hash);
  const restarted = await openContentCache(cacheDir(), { maxBytes: 1e9 });
  const again = await restarted.mount(nobody, up.snapshotId, up.hash);
  expect((await readFile(path.join(again.dir, 'sub/data'))).equals(noise(10_000, 'data'))).toBe(true);
});

it('one caller stopping does not stop the others', async () => {
  const up = await stored('data');
  const cache = await openContentCache(cacheDir(), { maxBytes: 1e9 });
  const stopping = new AbortController();
  let open = (): void => undefined;
  world.api.gate = (request) => {
    if (!request.endsWith('/manifest')) return undefined;
    return new Promise<void>((resolve) => {
      open = resolve;
      if (manifests() === 1) stopping.abort(new Error('stopped'));
      else resolve();
    });
  };
  const first = cache.mount(world.api.client, up.snapshotId, up.hash, { signal: stopping.signal });
  const second = cache.mount(world.api.client, up.snapshotId, up.hash);
  await expect(first).rejects.toThrow('stopped');
  open();
  expect((await readdir((await second).dir)).sort()).toEqual(['run', 'sub']);
  expect(await readdir(path.join(cacheDir(), 'tmp'))).toEqual([]);
});

it('removes what was used longest ago, and never what is in use', async () => {
  const [a, b, c] = [await stored('a', 100_000), await stored('b', 100_000), await stored('c', 100_000)];
  const cache = await openContentCache(cacheDir(), { maxBytes: 250_000 });
  const mount = (up: UploadResult) => cache.mount(world.api.client, up.snapshotId, up.hash);
  const held = await mount(a);
  await (await mount(b)).release();
  const third = await mount(c);
  const trees = async () =>
    (await readdir(path.join(cacheDir(), 'trees'))).filter((n) => !n.endsWith('.size')).sort();
  expect(await trees()).toEqual([a.hash, c.hash].sort());
  // Two in use fill it; a third goes over the limit rather than take one away, and goes once it is released.
  const over = await mount(b);
  expect(await trees()).toEqual([a.hash, b.hash, c.hash].sort());
  expect((await readFile(path.join(held.dir, 'sub/data'))).equals(noise(100_000, 'a'))).toBe(true);
  await held.release();
  await held.release();
  expect(await trees()).toEqual([b.hash, c.hash].sort());
  await Promise.all([third.release(), over.release()]);
  expect(await trees()).toEqual([b.hash, c.hash].sort());
});

it('fetches a tree anew that somebody has changed, and leaves the old one to who uses it', async () => {
  const up = await stored('data');
  const changed: string[] = [];
  const open = () => openContentCache(cacheDir(), { maxBytes: 1e9, onChanged: (hash) => changed.push(hash) });
  const cache = await open();
  const mount = () => cache.mount(world.api.client, up.snapshotId, up.hash);
  const user = await mount();
  const before = await picture(user.dir);
  const poison = async (): Promise<void> => {
    const file = path.join(user.dir, 'sub/data');
    await chmod(file, 0o644);
    // As long as what was there, as who wants to hide it would.
    await writeFile(file, noise(10_000, 'poison'));
    await chmod(file, 0o444);
  };
  await poison();
  const mounts = await Promise.all([mount(), mount(), mount()]);
  expect(changed).toEqual([up.hash]);
  expect(manifests()).toBe(2);
  expect(await picture(mounts[0]!.dir)).toEqual(before);
  const aside = await readdir(path.join(cacheDir(), 'tmp'));
  expect(aside).toHaveLength(1);
  await user.release();
  expect(await readdir(path.join(cacheDir(), 'tmp'))).toEqual([]);
  for (const one of mounts) await one.release();
  // What was done while no worker ran is seen too, and so is a file too many.
  await writeFile(path.join(user.dir, 'sub/more'), 'more');
  const restarted = await open();
  const again = await restarted.mount(world.api.client, up.snapshotId, up.hash);
  expect(await picture(again.dir)).toEqual(before);
  expect(changed).toHaveLength(2);
});

it('an unfinished build of a worker that died is not taken for a tree', async () => {
  const up = await stored('data');
  await plant(cacheDir(), { [`trees/${up.hash}/sub/half`]: 'half', 'tmp/leftover/x': 'x' });
  const cache = await openContentCache(cacheDir(), { maxBytes: 1e9 });
  const mounted = await cache.mount(world.api.client, up.snapshotId, up.hash);
  expect(Object.keys(await picture(mounted.dir))).toEqual(['run', 'sub', 'sub/data']);
  expect(await readdir(path.join(cacheDir(), 'tmp'))).toEqual([]);
});

it('a failed build leaves nothing behind and the next one works', async () => {
  const up = await stored('data');
  const cache = await openContentCache(cacheDir(), { maxBytes: 1e9 });
  world.api.fault = (request) => (request.endsWith('/manifest') ? 404 : undefined);
  await expect(cache.mount(world.api.client, up.snapshotId, up.hash)).rejects.toThrow();
  expect(await readdir(path.join(cacheDir(), 'trees'))).toEqual([]);
  world.api.fault = () => undefined;
  await (await cache.mount(world.api.client, up.snapshotId, up.hash)).release();
});

it('copies share nothing a job could write into', async () => {
  const up = await stored('data');
  const cache = await openContentCache(cacheDir(), { maxBytes: 1e9 });
  const { dir } = await cache.mount(world.api.client, up.snapshotId, up.hash);
  const before = await picture(dir);
  const code = path.join(world.dir, 'code');
  const input = path.join(world.dir, 'input');
  await cache.copy(dir, code);
  await cache.copyForJob(dir, input);
  expect((await lstat(path.join(code, 'sub/data'))).mode & 0o777).toBe(0o644);
  expect(await picture(input)).toEqual(before);
  await writeFile(path.join(code, 'sub/data'), 'changed');
  // A job that runs as the worker can still force its way into its own copy; the cache doesn't feel it.
  await chmod(path.join(input, 'run'), 0o644);
  await writeFile(path.join(input, 'run'), 'changed');
  expect(await picture(dir)).toEqual(before);
});

it('a download by way of the cache leaves the tree there for the next', async () => {
  const up = await stored('data');
  const cache = await openContentCache(cacheDir(), { maxBytes: 1e9 });
  const target = path.join(world.dir, 'target');
  const { snapshotId, hash } = up;
  await materialize({ client: world.api.client, snapshotId, hash, dir: target, cache });
  expect(await picture(target)).toEqual(await picture(path.join(world.dir, 'data')));
  await cache.mount(nobody, snapshotId, hash);
});
