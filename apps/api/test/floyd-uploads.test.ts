import { existsSync } from 'node:fs';
import { mkdtemp, readdir } from 'node:fs/promises';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { datasetRoutes } from '@mycloud/shared';
import { type Header, pack } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sweepUploads } from '../src/uploads/sweep.js';
import { unpackNext } from '../src/uploads/unpack.js';
import type { RunningApi } from './support/api.js';
import { type FloydWorld, startFloydWorld } from './support/floyd.js';

let world: FloydWorld;
let ann: FloydWorld['ann'];
let bob: FloydWorld['bob'];
let api: RunningApi;
let other: RunningApi;
let home: string;
let ask: FloydWorld['ask'];
beforeAll(async () => {
  world = await startFloydWorld();
  ({ ann, bob, api, other, home, ask } = world);
});
afterAll(() => world?.close());

type Entry = Partial<Header> & { name: string; content?: string };

async function tarball(entries: Entry[]): Promise<Buffer> {
  const tar = pack();
  for (const { content, ...header } of entries) tar.entry(header, content ?? '');
  tar.finalize();
  const parts: Buffer[] = [];
  for await (const part of tar) parts.push(part as Buffer);
  return gzipSync(Buffer.concat(parts));
}

const basic = (id: string, key: string) => `Basic ${Buffer.from(`${id}:${key}`).toString('base64')}`;

/** POST /modules/ and the beginning by tus. @returns where to send the bytes */
async function begin(dataset: string, length: number, key = ann.key) {
  const made = await ask(key, '/modules/', {
    method: 'POST',
    body: JSON.stringify({
      name: `ann/${dataset}`,
      module_type: 'data',
      data_type: 'gzip',
      description: 'm',
    }),
    headers: { 'content-type': 'application/json' },
  });
  const { id, name } = (await made.json()) as { id: string; name: string };
  const credentials = await ask(key, `/modules/${id}/upload_v2_credentials`, { method: 'POST' });
  const { token } = (await credentials.json()) as { token: string };
  const authorization = basic(id, token);
  const created = await fetch(`${api.url}/api/v1/upload/`, {
    method: 'POST',
    headers: {
      authorization,
      'upload-length': String(length),
      'upload-metadata': `filename ${Buffer.from(id).toString('base64')}`,
    },
  });
  return { id, name, authorization, created, location: created.headers.get('location') ?? '' };
}

const append = (url: string, authorization: string, offset: number, bytes: Uint8Array) =>
  fetch(url, {
    method: 'PATCH',
    body: new Uint8Array(bytes),
    headers: {
      authorization,
      'content-type': 'application/offset+octet-stream',
      'upload-offset': String(offset),
    },
  });

/** Sends a tar.gz as the next version of a dataset and has it unpacked. @returns its state, or why it failed */
async function upload(dataset: string, bytes: Buffer) {
  const begun = await begin(dataset, bytes.length);
  expect(begun.created.status).toBe(201);
  expect((await append(begun.location, begun.authorization, 0, bytes)).status).toBe(204);
  const folder = await mkdtemp(path.join(home, 'unpacking-'));
  expect(await unpackNext(api.deps, folder)).toBe(true);
  expect(await readdir(folder)).toEqual([]);
  const answer = await ask(ann.key, `/resources/${begun.id}/state`);
  const said = (await answer.json()) as string | { message: string };
  return { ...begun, status: answer.status, said: typeof said === 'string' ? said : said.message };
}

describe('data by tus', () => {
  it('is taken by any api, piece by piece, and becomes the version it was named', async () => {
    const bytes = await tarball([
      { name: './', type: 'directory' },
      { name: './train/', type: 'directory', mode: 0o755 },
      { name: './train/a.txt', content: 'a' },
      { name: './run.sh', content: 'ls', mode: 0o755 },
      { name: './train/again.txt', type: 'link', linkname: './train/a.txt' },
      { name: './near', type: 'symlink', linkname: 'train/a.txt' },
      { name: './.floyddata', content: '{"tarball_path": "/tmp/x"}' },
    ]);
    const half = Math.floor(bytes.length / 2);
    const { id, name, authorization, location, created } = await begin('pieces', bytes.length);
    expect(created.status).toBe(201);
    expect(name).toBe('ann/datasets/pieces/1');
    const first = await append(location, authorization, 0, bytes.subarray(0, half));
    expect(first.headers.get('upload-offset')).toBe(String(half));

    const there = location.replace(api.url, other.url);
    const offset = await fetch(there, { method: 'HEAD', headers: { authorization } });
    expect(offset.headers.get('upload-offset')).toBe(String(half));
    expect(offset.headers.get('tus-resumable')).toBe('1.0.0');
    expect((await append(there, authorization, 0, bytes)).status).toBe(403);
    expect((await append(there, authorization, half, Buffer.concat([bytes, bytes]))).status).toBe(403);
    expect((await append(there, authorization, half, bytes.subarray(half))).status).toBe(204);
    expect(await (await ask(ann.key, `/resources/${id}/state`)).json()).toBe('unpacking');

    // Both apis look for work at once: one of them does it.
    const folder = await mkdtemp(path.join(home, 'unpacking-'));
    const did = await Promise.all([unpackNext(api.deps, folder), unpackNext(other.deps, folder)]);
    expect(did.sort()).toEqual([false, true]);
    const data = await (await ask(ann.key, `/modules/${id}`)).json();
    expect(data).toMatchObject({ name, data: { state: 'valid' }, version: '1' });
    const params = { owner: 'ann', dataset: 'pieces', number: 1 };
    const version = await ann.client.call(datasetRoutes.version, { params });
    expect(version).toMatchObject({ name, files: 3, message: 'm' });
    const list = await (await ask(ann.key, `/resources/${version.snapshotId}/train?content=true`)).json();
    expect(list).toEqual({
      files: [
        { name: 'a.txt', type: 'file' },
        { name: 'again.txt', type: 'file' },
      ],
      skipped_files: 0,
      total_files: 2,
    });
    await sweepUploads(api.deps);
    expect(
      (await api.deps.pool.query('SELECT 1 FROM "UploadPart" WHERE "uploadId" = $1', [id])).rowCount,
    ).toBe(0);
  });

  it('is of two that send the same piece taken from one', async () => {
    const bytes = await tarball([{ name: 'a', content: 'a' }]);
    const { authorization, location } = await begin('races', bytes.length);
    const there = location.replace(api.url, other.url);
    const answers = await Promise.all([location, there].map((at) => append(at, authorization, 0, bytes)));
    expect(answers.map((answer) => answer.status).sort()).toEqual([204, 403]);
    const folder = await mkdtemp(path.join(home, 'unpacking-'));
    expect(await unpackNext(other.deps, folder)).toBe(true);
  });

  it.each<[string, Entry[], string]>([
    ['a name that goes up', [{ name: '../../out', content: 'x' }], '".."'],
    ['an absolute name', [{ name: '/etc/out', content: 'x' }], 'absolute'],
    ['a link that leaves it', [{ name: 'l', type: 'symlink', linkname: '../../etc' }], 'outside the folder'],
    ['an absolute link', [{ name: 'l', type: 'symlink', linkname: '/etc' }], 'absolute'],
    [
      'a file behind a link that leaves it',
      [
        { name: 'l', type: 'symlink', linkname: '/etc' },
        { name: 'l/out', content: 'x' },
      ],
      'same name',
    ],
    ['a link to a file outside', [{ name: 'h', type: 'link', linkname: '/etc/passwd' }], 'absolute'],
    ['a link to nothing', [{ name: 'h', type: 'link', linkname: 'nothing' }], "isn't there"],
    ['a device', [{ name: 'd', type: 'character-device', devmajor: 1, devminor: 3 }], 'character-device'],
    ['a pipe', [{ name: 'p', type: 'fifo' }], 'fifo'],
    [
      'a file that is a folder too',
      [
        { name: 'a', content: 'x' },
        { name: 'a/b', content: 'x' },
      ],
      'same name',
    ],
  ])('is refused with %s, and nothing of it is written elsewhere', async (_, entries, why) => {
    const bytes = await tarball([{ name: 'fine', content: 'x' }, ...entries]);
    const { said, status, name } = await upload('hostile', bytes);
    expect(status).toBe(403);
    expect(said).toContain(why);
    expect(said).toContain(name);
    expect(await readdir(home)).not.toContain('out');
    expect(existsSync('/etc/out')).toBe(false);
  });

  it('is refused when it is no tar.gz, is cut off, or is far larger than it looks', async () => {
    expect((await upload('broken', Buffer.from('this is no tar'))).said).toContain('no whole tar.gz');
    const whole = await tarball([{ name: 'a', content: 'x'.repeat(10_000) }]);
    expect((await upload('broken', whole.subarray(0, whole.length - 20))).said).toContain('no whole tar.gz');
    expect((await upload('broken', gzipSync(Buffer.alloc(5000, 'x')))).said).toContain('no whole tar.gz');
    const bomb = await tarball([{ name: 'zeros', content: '\0'.repeat(60_000_000) }]);
    expect(bomb.length).toBeLessThan(100_000);
    expect((await upload('bomb', bomb)).said).toContain('more than 50000000 bytes');
  });

  it('is bounded by the quota before a byte of it comes', async () => {
    const { created } = await begin('large', 60_000_000);
    expect(created.status).toBe(403);
    expect(((await created.json()) as { message: string }).message).toContain('quota');
  });

  it('is nobody else’s to send, to see or to give up', async () => {
    const { id, location } = await begin('mine', 1000);
    const stranger = basic(id, bob.key);
    expect((await append(location, stranger, 0, Buffer.from('x'))).status).toBe(404);
    expect((await fetch(location, { method: 'HEAD', headers: { authorization: stranger } })).status).toBe(
      404,
    );
    expect((await ask(bob.key, `/modules/${id}`)).status).toBe(404);
    expect((await ask(bob.key, `/modules/${id}`, { method: 'DELETE' })).status).toBe(404);
    expect((await ask(bob.key, `/resources/${id}/state`)).status).toBe(404);
    const others = await ask(bob.key, '/modules/', {
      method: 'POST',
      body: JSON.stringify({ name: 'ann/mine', module_type: 'data', data_type: 'gzip' }),
      headers: { 'content-type': 'application/json' },
    });
    expect(others.status).toBe(403);
  });

  it('is unpacked anew when an api ends in the middle of it, and given up when that happens again and again', async () => {
    const bytes = await tarball([{ name: 'a', content: 'a' }]);
    const { id, authorization, location } = await begin('ending', bytes.length);
    await append(location, authorization, 0, bytes);
    const folder = await mkdtemp(path.join(home, 'unpacking-'));
    expect(await unpackNext(api.deps, folder, AbortSignal.abort())).toBe(true);
    expect(await readdir(folder)).toEqual([]);

    // An api that was killed leaves its claim, which runs out.
    const kill = `UPDATE "Upload" SET tries = $2, "claimedUntil" = now() - interval '1 second' WHERE id = $1`;
    await api.deps.pool.query(kill, [id, 2]);
    expect(await unpackNext(other.deps, folder)).toBe(true);
    expect(await (await ask(ann.key, `/resources/${id}/state`)).json()).toBe('valid');

    const second = await begin('ending', bytes.length);
    await append(second.location, second.authorization, 0, bytes);
    await api.deps.pool.query(kill, [second.id, 3]);
    expect(await unpackNext(other.deps, folder)).toBe(false);
    const state = await ask(ann.key, `/resources/${second.id}/state`);
    expect(((await state.json()) as { message: string }).message).toContain('the server ended 3 times');
  });

  it('that nobody goes on with is forgotten after its time, with its pieces', async () => {
    const { id, authorization, location } = await begin('forgotten', 1000);
    await append(location, authorization, 0, Buffer.from('some of it'));
    await sweepUploads(api.deps);
    expect((await fetch(location, { method: 'HEAD', headers: { authorization } })).status).toBe(200);
    const parts = await api.deps.pool.query<{ key: string }>(
      'SELECT key FROM "UploadPart" WHERE "uploadId" = $1',
      [id],
    );
    expect(parts.rowCount).toBe(1);
    await api.deps.pool.query(`UPDATE "Upload" SET "touchedAt" = now() - interval '8 days' WHERE id = $1`, [
      id,
    ]);
    await sweepUploads(api.deps);
    expect((await fetch(location, { method: 'HEAD', headers: { authorization } })).status).toBe(404);
    expect(await api.deps.store.stat(parts.rows[0]!.key)).toBeUndefined();
  });
});
