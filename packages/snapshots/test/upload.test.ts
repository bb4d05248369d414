import { randomBytes } from 'node:crypto';
import { readFile, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
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
      if (request !== 'POST /v1/chunks/missing' || changed) return;
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
      if (request !== 'POST /v1/chunks/missing') return;
      // In place: a file seen just as it is truncated would be a whole, empty file to anybody.
      await writeFile(path.join(folder(), 'logs/busy'), randomBytes(48 * MiB), { flag: 'r+' });
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
  const chunks = [{ hash: 'b'.repeat(64), size: 5 }];
  const stamp = { size: 5, mtimeNs: 1_000_000_000_000n, ctimeNs: 1_000_000_000_000n, inode: 7n };
  const later = 1_010_000;
  const cacheFile = (): string => path.join(world.dir, 'home/hashes');

  it('remembers a file over a restart, and forgets it when anything about it differs', async () => {
    const cache = await openHashCache(cacheFile());
    cache.set('/x', stamp, chunks, later);
    await cache.save();
    const next = await openHashCache(cacheFile());
    expect(next.get('/x', stamp)).toEqual(chunks);
    for (const other of [{ size: 6 }, { mtimeNs: 2n }, { ctimeNs: 2n }, { inode: 8n }]) {
      expect(next.get('/x', { ...stamp, ...other })).toBeUndefined();
    }
    expect(next.get('/y', stamp)).toBeUndefined();
  });

  it('does not trust a file written just before it was read', async () => {
    const cache = await openHashCache(cacheFile());
    cache.set('/x', stamp, chunks, 1_001_999);
    expect(cache.get('/x', stamp)).toBeUndefined();
    cache.set('/x', stamp, chunks, 1_002_000);
    expect(cache.get('/x', stamp)).toEqual(chunks);
    cache.set('/x', { ...stamp, ctimeNs: 1_009_000_000_000n }, chunks, later);
    expect(cache.get('/x', stamp)).toBeUndefined();
  });

  it.each([
    ['cut short', (text: string) => text.slice(0, -20)],
    ['changed in one byte', (text: string) => text.replace('bbbb', 'cbbb')],
    ['empty', () => ''],
    ['of another program', () => 'hello\nworld\n'],
  ])('counts as empty when its file is %s', async (_, damage) => {
    const cache = await openHashCache(cacheFile());
    cache.set('/x', stamp, chunks, later);
    await cache.save();
    await writeFile(cacheFile(), damage(await readFile(cacheFile(), 'utf8')));
    expect((await openHashCache(cacheFile())).get('/x', stamp)).toBeUndefined();
  });

  it('spares reading what is unchanged, and not what the server has lost meanwhile', async () => {
    await plant(folder(), { a: noise(3 * MiB, 'a'), b: 'b' });
    const real = await openHashCache(cacheFile());
    let read = 0;
    // The files are too fresh to be trusted; for this test they were read ten seconds later.
    const cache = {
      ...real,
      set: (...[name, at, cut]: Parameters<typeof real.set>) => {
        read += 1;
        real.set(name, at, cut, Date.now() + 10_000);
      },
    };
    const first = await upload({ cache });
    expect(read).toBe(2);
    expect(await upload({ cache })).toMatchObject({ hash: first.hash, sentBytes: 0 });
    expect(read).toBe(2);
    await plant(folder(), { b: 'B' });
    expect(await upload({ cache })).toMatchObject({ sentBytes: 1 });
    expect(read).toBe(3);
    world.api.packs.clear();
    expect(await upload({ cache })).toMatchObject({ sentBytes: 3 * MiB + 1 });
    expect(read).toBe(5);
  });
});
