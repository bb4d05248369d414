import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { describe, expect, it } from 'vitest';
import { fetchManifest, materialize, type UploadResult, uploadFolder } from '../src/index.js';
import { noise, picture, plant, useWorld } from './support/world.js';

const world = useWorld();
const source = (): string => path.join(world.dir, 'source');
const target = (): string => path.join(world.dir, 'target');
const get = ({ snapshotId, hash }: UploadResult) =>
  materialize({ client: world.api.client, snapshotId, hash, dir: target() });

async function stored(): Promise<UploadResult> {
  await plant(source(), { 'cats/1.jpg': noise(400_000, 'cat'), 'dogs/1.jpg': noise(400_000, 'dog') });
  return await uploadFolder({ client: world.api.client, dir: source() });
}

it('a chunk that lies is named with its file and pack, and nothing of it is written', async () => {
  const up = await stored();
  const [pack] = [...world.api.packs.values()];
  const dog = pack!.chunks.at(-1)!;
  pack!.bytes[dog.offset + 17]! ^= 1;
  await expect(get(up)).rejects.toThrow(new RegExp(`${pack!.id} is damaged: a chunk of "(cats|dogs)/1.jpg"`));
  const left = Object.keys(await picture(target()));
  expect(left).toHaveLength(3);
  expect(left.some((name) => name.includes('partial'))).toBe(false);
});

it('a pack cut short is named, and read again in case it was the line', async () => {
  const up = await stored();
  const [pack] = [...world.api.packs.values()];
  const whole = pack!.bytes;
  pack!.bytes = whole.subarray(0, whole.length - 1);
  await expect(get(up)).rejects.toThrow(`${pack!.id} is cut short`);
  let reads = 0;
  world.api.gate = async (request) => {
    if (request === 'GET /v1/store/:id' && ++reads === 2) pack!.bytes = whole;
  };
  await get(up);
  expect(await picture(target())).toEqual(await picture(source()));
});

it('a store that breaks off and an api that is away for a moment are asked again', async () => {
  const up = await stored();
  const left = new Map<string, 'cut' | number>([
    ['GET /v1/store/:id', 'cut'],
    ['GET /v1/snapshots/:id/manifest', 503],
    ['POST /v1/snapshots/:id/locate', 'cut'],
  ]);
  world.api.fault = (request) => {
    const fault = left.get(request);
    left.delete(request);
    return fault;
  };
  await get(up);
  expect(await picture(target())).toEqual(await picture(source()));
});

it('a manifest that is not the one named is refused', async () => {
  const up = await stored();
  await expect(fetchManifest(world.api.client, up.snapshotId, 'f'.repeat(64))).rejects.toThrow('damaged');
});

it('links that lie in the target are replaced or refused, never written through', async () => {
  const up = await stored();
  const outside = path.join(world.dir, 'outside');
  await plant(outside, { '1.jpg': 'mine' });
  await mkdir(path.join(target(), 'cats'), { recursive: true });
  await symlink(path.join(outside, '1.jpg'), path.join(target(), 'cats/1.jpg'));
  await symlink(outside, path.join(target(), 'dogs'));
  await expect(get(up)).rejects.toThrow('"dogs" can\'t be written: a symbolic link is in its place');
  expect(await readFile(path.join(outside, '1.jpg'), 'utf8')).toBe('mine');
  await materialize({
    client: world.api.client,
    snapshotId: up.snapshotId,
    dir: target(),
    select: (name) => name.startsWith('cats/'),
  });
  expect(await readFile(path.join(outside, '1.jpg'), 'utf8')).toBe('mine');
  expect((await readFile(path.join(target(), 'cats/1.jpg'))).equals(noise(400_000, 'cat'))).toBe(true);
});

it('a folder where a file goes is named', async () => {
  const up = await stored();
  await mkdir(path.join(target(), 'dogs/1.jpg'), { recursive: true });
  await writeFile(path.join(target(), 'dogs/1.jpg/mine'), '');
  await expect(get(up)).rejects.toThrow('"dogs/1.jpg" can\'t be written: a folder is in its place');
});

describe('a folder that threads fetch', () => {
  async function storedLarge(): Promise<UploadResult> {
    const photos = Array.from({ length: 9 }, (_, i) => [`${i}.jpg`, noise(4_000_000, `photo ${i}`)] as const);
    await plant(source(), Object.fromEntries(photos));
    return await uploadFolder({ client: world.api.client, dir: source() });
  }

  it('is whole, though the store broke off and was away, and a chunk lied at first', async () => {
    const up = await storedLarge();
    const faults: ('cut' | 503)[] = ['cut', 503, 'cut'];
    world.api.fault = (request) => (request === 'GET /v1/store/:id' ? faults.pop() : undefined);
    const [pack] = [...world.api.packs.values()];
    pack!.bytes[17]! ^= 1;
    let reads = 0;
    world.api.gate = async (request) => {
      if (request === 'GET /v1/store/:id' && ++reads === 7) pack!.bytes[17]! ^= 1;
    };
    await get(up);
    expect(await picture(target())).toEqual(await picture(source()));
  });

  it('is not had from a store that stays away, which is said by its name and not by its signature', async () => {
    const up = await storedLarge();
    world.api.fault = (request) => (request === 'GET /v1/store/:id' ? 503 : undefined);
    const error = await get(up).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'unavailable' });
    expect((error as Error).message).toMatch(/^the store answered 503 to pack [0-9a-f-]{36}/);
    world.api.fault = (request) => (request === 'GET /v1/store/:id' ? 'cut' : undefined);
    await expect(get(up)).rejects.toThrow(
      `the store at ${new URL(world.api.client.url).host} did not finish: `,
    );
  });

  it('is given up at once when that is wished, and goes on in what was written', async () => {
    const up = await storedLarge();
    let reads = 0;
    const asked = new Promise<void>((resolve) => {
      world.api.gate = (request) => {
        if (request !== 'GET /v1/store/:id' || ++reads < 3) return;
        resolve();
        return new Promise(() => undefined);
      };
    });
    const enough = new AbortController();
    const { snapshotId, hash } = up;
    const { client } = world.api;
    const getting = materialize({ client, snapshotId, hash, dir: target(), signal: enough.signal });
    const outcome = expect(getting).rejects.toThrow('enough');
    await asked;
    enough.abort(new Error('enough'));
    await outcome;
    world.api.gate = () => undefined;
    await get(up);
    expect(await picture(target())).toEqual(await picture(source()));
  });
});
