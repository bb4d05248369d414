import { chmod, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { materialize, scanFolder, type UploadResult, uploadFolder } from '../src/index.js';
import { noise, picture, plant, useWorld } from './support/world.js';

const MiB = 2 ** 20;
const world = useWorld();
const source = (): string => path.join(world.dir, 'source');
const target = (): string => path.join(world.dir, 'target');
const get = ({ snapshotId, hash }: UploadResult, signal?: AbortSignal) =>
  materialize({ client: world.api.client, snapshotId, hash, dir: target(), signal });
const ranges = (): number => world.api.requests.filter((name) => name.startsWith('GET /v1/store')).length;

it('fetches nothing that is there already, and only what was changed or lost', async () => {
  await plant(source(), { a: noise(300_000, 'a'), 'b/c': noise(300_000, 'c'), large: noise(9 * MiB, 'l') });
  const up = await uploadFolder({ client: world.api.client, dir: source() });
  await get(up);
  const before = ranges();
  await get(up);
  expect(ranges()).toBe(before);
  await rm(path.join(target(), 'a'));
  await writeFile(path.join(target(), 'b/c'), noise(300_000, 'other'));
  await chmod(path.join(target(), 'large'), 0o600);
  await get(up);
  expect(await picture(target())).toEqual(await picture(source()));
});

it('goes on in the middle of a large file', async () => {
  await plant(source(), { large: noise(40 * MiB, 'large') });
  const up = await uploadFolder({ client: world.api.client, dir: source() });
  const stopping = new AbortController();
  world.api.gate = async (request) => {
    if (request.startsWith('GET /v1/store') && ranges() === 5) stopping.abort(new Error('Ctrl-C'));
  };
  await expect(get(up, stopping.signal)).rejects.toThrow('Ctrl-C');
  const [left] = await readdir(target());
  expect(left).toMatch(/^\.mycloud-partial-/);
  // What is left of a download is no part of what a person uploads from there.
  expect((await scanFolder(target(), { ignore: true })).tree.files).toBe(0);
  world.api.gate = () => undefined;
  const all = ranges();
  await get(up);
  // A pack is a range; the fifth was asked for when the first was there.
  expect(ranges() - all).toBeLessThan(world.api.packs.size);
  expect(await picture(target())).toEqual(await picture(source()));
});

it('goes on where a writer that was killed had small files under way too', async () => {
  const small = { a: noise(1000, 'a'), b: noise(1000, 'b') };
  await plant(source(), { ...small, large: noise(40 * MiB, 'large') });
  const up = await uploadFolder({ client: world.api.client, dir: source() });
  const stopping = new AbortController();
  world.api.gate = async (request) => {
    if (request.startsWith('GET /v1/store') && ranges() === 5) stopping.abort(new Error('Ctrl-C'));
  };
  await expect(get(up, stopping.signal)).rejects.toThrow('Ctrl-C');
  world.api.gate = () => undefined;
  const staging = (await readdir(target())).find((name) => name.startsWith('.mycloud-partial-'))!;
  await plant(path.join(target(), staging), { '0/1': 'half' });
  await get(up);
  expect(await picture(target())).toEqual(await picture(source()));
});
