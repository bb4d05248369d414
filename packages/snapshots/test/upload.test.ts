import { randomBytes } from 'node:crypto';
import { readdir, readFile, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { materialize, openHashCache, type UploadProgress, uploadFolder } from '../src/index.js';
import { noise, picture, plant, useWorld } from './support/world.js';

const world = useWorld();
const MiB = 1024 * 1024;
const folder = (): string => path.join(world.dir, 'data');
const upload = (more: object = {}) => uploadFolder({ client: world.api.client, dir: folder(), ...more });

describe('an upload', () => {
  it('sends nothing for an unchanged folder', async () => {
    await plant(folder(), { a: noise(3 * MiB, 'a'), b: 'b', 'c/d': 'd' });
    const first = await upload();
    expect(first.sentBytes).toBe(3 * MiB + 2);
    expect(await upload()).toMatchObject({ hash: first.hash, sentBytes: 0, newChunks: 0 });
    expect(world.api.received()).toBe(first.sentBytes);
  });

  it('sends little after an insertion at the front of a large file', async () => {
    const content = noise(20 * MiB, 'large');
    await plant(folder(), { large: content });
    expect((await upload()).sentBytes).toBe(20 * MiB);
    await plant(folder(), { large: Buffer.concat([Buffer.from('one more line\n'), content]) });
    const second = await upload();
    expect(second.sentBytes).toBeGreaterThan(0);
    // The chunk that holds the insertion, and at most the one whose cut it moved.
    expect(second.sentBytes).toBeLessThan(6 * MiB);
  });

  it('stores the same bytes once, however many files hold them', async () => {
    const twin = noise(2 * MiB, 'twin');
    await plant(folder(), { a: twin, b: twin, 'c/d': twin, zeros: Buffer.alloc(24 * MiB) });
    const result = await upload();
    expect(result.bytes).toBe(30 * MiB);
    // Zeros are cut at the longest chunk: one of 2 MiB for all 24.
    expect(result.sentBytes).toBe(4 * MiB);
  });

  it('broken off in the middle goes on where it was', async () => {
    const files = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`f${i}`, noise(MiB, `f${i}`)]));
    await plant(folder(), files);
    const controller = new AbortController();
    let commits = 0;
    world.api.gate = (request) => {
      if (request === 'POST /v1/packs/:id/commit' && ++commits === 3) controller.abort(new Error('Ctrl-C'));
      return undefined;
    };
    await expect(upload({ signal: controller.signal, concurrency: 1 })).rejects.toThrow('Ctrl-C');
    const kept = [...world.api.stored()].length;
    expect(kept).toBeGreaterThanOrEqual(16);
    expect(kept).toBeLessThan(40);
    const resumed = await upload();
    expect(resumed).toMatchObject({ files: 40, newChunks: 40 - kept, sentBytes: (40 - kept) * MiB });
  });

  it('sends a pack again when the line breaks, the store stumbles or the api is away for a moment', async () => {
    await plant(folder(), { a: noise(2 * MiB, 'a') });
    const left = new Map<string, 'cut' | number>([
      ['PUT /v1/store/:id', 'cut'],
      ['POST /v1/packs', 503],
      ['POST /v1/packs/:id/commit', 503],
      ['POST /v1/chunks/missing', 'cut'],
      ['POST /v1/snapshots', 503],
    ]);
    world.api.fault = (request) => {
      const fault = left.get(request);
      left.delete(request);
      return fault;
    };
    const seen: UploadProgress[] = [];
    const result = await upload({ onProgress: (progress: UploadProgress) => seen.push(progress) });
    expect(result.sentBytes).toBe(2 * MiB);
    expect(left.size).toBe(0);
    // What failed isn't counted as sent.
    expect(seen.at(-1)).toMatchObject({ phase: 'commit', sentBytes: 2 * MiB, bytes: 2 * MiB, files: 1 });
  });

  it('says what the server says when it refuses for good', async () => {
    await plant(folder(), { a: 'a' });
    world.api.fault = (request) => (request.startsWith('PUT') ? 403 : undefined);
    await expect(upload()).rejects.toThrow('the store answered 403 to a pack');
  });

  it('reads a file again that changed while it was read', async () => {
    await plant(folder(), { growing: randomBytes(48 * MiB) });
    let changed = false;
    // With one pack under way at most 40 MiB are held, so the file can't be read to its end before this.
    world.api.gate = async (request) => {
      if (request !== 'POST /v1/packs' || changed) return;
      changed = true;
      await truncate(path.join(folder(), 'growing'), 47 * MiB);
    };
    const result = await upload({ concurrency: 1 });
    expect(result.bytes).toBe(47 * MiB);
    const target = path.join(world.dir, 'target');
    await materialize({ client: world.api.client, snapshotId: result.snapshotId, dir: target });
    expect(await picture(target)).toEqual(await picture(folder()));
  });

  it('names a file that never holds still; a lenient upload keeps what it read', async () => {
    await plant(folder(), { 'logs/busy': randomBytes(48 * MiB) });
    world.api.gate = async (request) => {
      if (request !== 'POST /v1/packs' && request !== 'POST /v1/chunks/missing') return;
      // In place: a file seen just as it is truncated would be a whole, empty file to anybody.
      await writeFile(path.join(folder(), 'logs/busy'), randomBytes(MiB), { flag: 'r+' });
    };
    const strict = upload({ concurrency: 1 });
    await expect(strict).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('"logs/busy"'),
    });
    const kept = await upload({ concurrency: 1, lenient: true });
    expect(kept).toMatchObject({ files: 1, skipped: [] });
  });
});

describe('the hash cache', () => {
  const cacheDir = (): string => path.join(world.dir, 'home/folders');
  const long = 10_000;
  /** As if everything below the folder had been written ten seconds ago: younger files are not trusted. */
  const age = async (): Promise<void> => {
    for (const entry of await readdir(folder(), { recursive: true, withFileTypes: true })) {
      const at = path.join(entry.parentPath, entry.name);
      if (entry.isFile()) await utimes(at, new Date(Date.now() - long), new Date(Date.now() - long));
    }
    // Nothing sets the time of the last change of an inode: it is waited for.
    await sleep(2100);
  };
  const again = () => upload({ cache: openHashCache(cacheDir()) });
  const count = (request: string): number => world.api.requests.filter((one) => one === request).length;

  it('makes an unchanged folder one question, and a changed one those of its changed files', async () => {
    await plant(folder(), { a: noise(3 * MiB, 'a'), b: 'b', 'c/d': '', e: noise(300, 'e') });
    await age();
    const first = await again();
    const before = world.api.requests.length;
    expect(await again()).toMatchObject({ hash: first.hash, files: 4, bytes: 3 * MiB + 301, sentBytes: 0 });
    expect(world.api.requests.slice(before)).toEqual(['POST /v1/snapshots/find']);
    await plant(folder(), { b: 'B' });
    const changed = await again();
    expect(changed).toMatchObject({ sentBytes: 1, newChunks: 1 });
    expect(changed.hash).not.toBe(first.hash);
    expect((await upload()).hash).toBe(changed.hash);
  });

  it('reads and sends again what the server has lost meanwhile', async () => {
    await plant(folder(), { a: noise(3 * MiB, 'a'), b: 'b' });
    await age();
    const first = await again();
    world.api.packs.clear();
    expect(await again()).toMatchObject({ hash: first.hash, sentBytes: 3 * MiB + 1 });
  });

  it('does not trust a file that was written just before it was read', async () => {
    await plant(folder(), { a: 'a' });
    await again();
    const before = count('POST /v1/snapshots');
    await again();
    expect(count('POST /v1/snapshots')).toBe(before + 1);
  });

  it('sees a file that was replaced, and one whose time was set back', async () => {
    await plant(folder(), { a: 'one', b: 'b' });
    await age();
    const first = await again();
    const { mtime } = await stat(path.join(folder(), 'a'));
    await plant(folder(), { a: 'two' });
    await utimes(path.join(folder(), 'a'), mtime, mtime);
    expect((await again()).hash).not.toBe(first.hash);
  });

  it('keeps what an upload that was broken off had read', async () => {
    await plant(folder(), { a: noise(5 * MiB, 'a'), b: noise(5 * MiB, 'b') });
    await age();
    world.api.fault = (request) => (request === 'POST /v1/snapshots' ? 403 : undefined);
    await expect(again()).rejects.toThrow();
    world.api.fault = () => undefined;
    const before = count('POST /v1/packs');
    expect(await again()).toMatchObject({ sentBytes: 0, newChunks: 0 });
    expect(count('POST /v1/packs')).toBe(before);
  });

  it.each([
    ['cut short', (bytes: Buffer) => bytes.subarray(0, -20)],
    ['changed in its rows', (bytes: Buffer) => flipped(bytes, bytes.length - 1)],
    ['changed in its head', (bytes: Buffer) => flipped(bytes, 100)],
    ['empty', () => Buffer.alloc(0)],
    ['of another program', () => Buffer.from('hello\nworld\n')],
  ])('counts as empty when its file is %s', async (_, damage) => {
    await plant(folder(), { a: noise(200, 'a'), b: 'b' });
    await age();
    const first = await again();
    const [name] = await readdir(cacheDir());
    const file = path.join(cacheDir(), name!);
    await writeFile(file, damage(await readFile(file)));
    await plant(folder(), { b: 'B' });
    await plant(folder(), { b: 'b' });
    expect(await again()).toMatchObject({ hash: first.hash, sentBytes: 0 });
  });
});

function flipped(bytes: Buffer, at: number): Buffer {
  bytes[at]! ^= 1;
  return bytes;
}
