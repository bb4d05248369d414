import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import {
  type Client,
  datasetRoutes,
  jobRoutes,
  projectRoutes,
  snapshotRoutes,
  tokenRoutes,
} from '@mycloud/shared';
import { type Header, pack } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startPostgres, type TestPostgres } from '../../../test/support/postgres.js';
import { sweepUploads } from '../src/uploads/sweep.js';
import { unpackNext } from '../src/uploads/unpack.js';
import { type RunningApi, startApi } from './support/api.js';

let postgres: TestPostgres;
/** Two apis of one deployment: one database, one store. */
let api: RunningApi;
let other: RunningApi;
let home: string;
let ann: { client: Client; key: string };
let bob: { client: Client; key: string };

beforeAll(async () => {
  postgres = await startPostgres();
  const { url } = await postgres.createDatabase();
  home = await mkdtemp(path.join(os.tmpdir(), 'mycloud-floyd-'));
  const env = { MYCLOUD_HOME: home, MYCLOUD_QUOTA_BYTES: '50000000' };
  api = await startApi(url, env);
  other = await startApi(url, env);
  ann = await login('ann');
  bob = await login('bob');
});
afterAll(async () => {
  await other?.close();
  await api?.close();
  await postgres?.stop();
  await rm(home, { recursive: true, force: true });
});

async function login(name: string) {
  const client = await api.user(name);
  const { token } = await client.call(tokenRoutes.create, { body: { name: 'floyd' } });
  return { client, key: token };
}

/** Without a Content-Type, as `run` sends it. */
const bytesOf = (value: object) => new Uint8Array(Buffer.from(JSON.stringify(value)));

/** As the client sends it. */
const ask = (key: string, url: string, init: RequestInit = {}) =>
  fetch(`${api.url}/api/v1${url}`, {
    ...init,
    headers: { authorization: `apikey ${key}`, ...(init.headers as Record<string, string>) },
  });

/** A form as requests-toolbelt writes it, names as they are given. */
function form(files: [name: string, text: string][], json: string): { body: Buffer; type: string } {
  const boundary = 'e0f2a1';
  const parts = files.map(
    ([name, text]) =>
      `--${boundary}\r\nContent-Disposition: form-data; name="code"; filename="${name}"\r\nContent-Type: text/plain\r\n\r\n${text}\r\n`,
  );
  const last = `--${boundary}\r\nContent-Disposition: form-data; name="json"\r\n\r\n${json}\r\n--${boundary}--\r\n`;
  return {
    body: Buffer.from([...parts, last].join('')),
    type: `multipart/form-data; boundary=${boundary}`,
  };
}

const codeOf = (name: string, more: object = {}) =>
  JSON.stringify({ name, module_type: 'code', command: 'true', mode: 'command', ...more });

async function sendCode(key: string, files: [string, string][], json = codeOf('ann/code')) {
  const { body, type } = form(files, json);
  const answer = await ask(key, '/modules/', { method: 'POST', body, headers: { 'content-type': type } });
  return {
    status: answer.status,
    body: (await answer.json()) as { id: string; message: string; code: string },
  };
}

async function filesOf(codeId: string): Promise<string[]> {
  const { snapshotId } = JSON.parse(Buffer.from(codeId, 'base64url').toString());
  const { items } = await ann.client.call(snapshotRoutes.files, { params: { id: snapshotId }, query: {} });
  return items.map((item) => item.name);
}

describe('code in a form', () => {
  it('keeps its folders, and odd names', async () => {
    const sent = await sendCode(ann.key, [
      ['./train.py', 'print(1)'],
      ['./a/b/c.py', 'x'],
      ['./ü & "é".txt'.replaceAll('"', '%22'), 'y'],
      ['./.floydexpt', '{}'],
    ]);
    expect(sent.status, sent.body.message).toBe(200);
    expect((await filesOf(sent.body.id)).sort()).toEqual(['.floydexpt', 'a', 'train.py', 'ü & "é".txt']);
  });

  it.each([
    ['./../out.py', '".."'],
    ['./a/../../out.py', '".."'],
    ['/etc/cron.d/out', 'absolute'],
    ['..\\out.py', '".."'],
    ['./a//b', 'empty'],
    ['./', 'empty'],
    [`./${'n'.repeat(300)}`, 'longer than 255'],
  ])('refuses the name %s', async (name, why) => {
    const sent = await sendCode(ann.key, [
      ['./fine.py', 'x'],
      [name, 'x'],
    ]);
    expect(sent).toMatchObject({ status: 400, body: { code: 'bad_request' } });
    expect(sent.body.message).toContain(why);
  });

  it('refuses a name that stands twice, or is a file and a folder', async () => {
    for (const twice of ['./a.py', './a.py/b']) {
      const sent = await sendCode(ann.key, [
        ['./a.py', 'x'],
        [twice, 'y'],
      ]);
      expect(sent.status).toBe(400);
      expect(sent.body.message).toContain('twice');
    }
  });

  it('refuses what is no form, has no settings, or is too much, and keeps nothing of it', async () => {
    const broken = await ask(ann.key, '/modules/', {
      method: 'POST',
      body: '--x\r\nContent-Disposition: form-data; name="code"; filename="a"\r\n\r\nno end',
      headers: { 'content-type': 'multipart/form-data; boundary=x' },
    });
    expect(broken.status).toBe(400);
    expect((await sendCode(ann.key, [['./a', 'x']], 'no json')).body.message).toContain('no JSON');
    expect((await sendCode(ann.key, [['./a', 'x']], '{}')).body.message).toContain('module_type');
    const large: [string, string][] = [1, 2].map((i) => [`./f${i}`, 'x'.repeat(60 * 1024 * 1024)]);
    const sent = await sendCode(ann.key, large);
    expect(sent.status).toBe(403);
    expect(sent.body.message).toContain('more than 100 MiB');
    const [scratch = ''] = await readdir(path.join(home, 'uploads'));
    expect(await readdir(path.join(home, 'uploads', scratch))).toEqual([]);
  });

  it('counts to the quota', async () => {
    const random = Array.from({ length: 1_600_000 }, () => randomUUID()).join('');
    const sent = await sendCode(ann.key, [['./random', random]]);
    expect(sent).toMatchObject({ status: 403, body: { code: 'quota_exceeded' } });
    expect(sent.body.message).toContain('your quota is 50.0 MB');
  });

  it('is nobody’s to bring into another’s project, or to run from another’s snapshot', async () => {
    const stranger = await sendCode(bob.key, [['./a', 'x']], codeOf('ann/code'));
    expect(stranger.status).toBe(403);
    const { body } = await sendCode(ann.key, [['./a', 'x']]);
    const stolen = await ask(bob.key, '/experiments/run_module/', {
      method: 'POST',
      body: bytesOf({ name: 'bob/mine', module_id: body.id }),
    });
    expect(stolen.status).toBe(403);
    expect(((await stolen.json()) as { message: string }).message).toContain('no code snapshot');
    const forged = await ask(ann.key, '/experiments/run_module/', {
      method: 'POST',
      body: bytesOf({ name: 'ann/code', module_id: 'forged' }),
    });
    expect(forged.status).toBe(400);
  });
});

/** A job of ann's, with no worker to take it. */
async function job(): Promise<{ id: string; name: string }> {
  const { body } = await sendCode(ann.key, [['./a', 'x']], codeOf('ann/private'));
  const answer = await ask(ann.key, '/experiments/run_module/', {
    method: 'POST',
    body: bytesOf({
      name: 'ann/private',
      module_id: body.id,
      env: 'tensorflow-1.8',
      instance_type: 'g1',
      cli_default: { command: '', description: '' },
    }),
  });
  expect(answer.status).toBe(200);
  return (await answer.json()) as { id: string; name: string };
}

describe('a job', () => {
  it('is found by its name, with or without the owner, and by its id; FloydHub’s environments are ours', async () => {
    const { id, name } = await job();
    const number = name.split('/').at(-1);
    for (const asked of [name, `/projects/private/${number}`, id, `${name}/files`]) {
      const answer = await ask(ann.key, `/experiments/${asked}`);
      expect(answer.status, asked).toBe(200);
      expect(await answer.json()).toMatchObject({ id, name, state: 'queued', instanceType: 'g1' });
    }
    for (const asked of [randomUUID(), `${name}/nothing`, 'ann/private', 'x', '', `${name}0`]) {
      const answer = await ask(ann.key, `/experiments/${asked}`);
      expect(answer.status, asked).not.toBe(200);
      expect(((await answer.json()) as { message: string }).message).not.toBe('');
    }
    const params = { owner: 'ann', project: 'private', number: Number(number) };
    const ours = await ann.client.call(jobRoutes.get, { params });
    expect(ours).toMatchObject({ environment: 'keras-2.15', machine: 'gpu', command: 'true' });
  });

  it('is a stranger’s neither to see, stop nor delete, nor are its log and code', async () => {
    const { id, name } = await job();
    const resource = ((await (await ask(ann.key, `/modules/${name}/code`)).json()) as { resource_id: string })
      .resource_id;
    const asked: [string, string][] = [
      ['GET', `/experiments/${name}`],
      ['GET', `/experiments/${id}`],
      ['GET', `/experiments/cancel/${id}`],
      ['DELETE', `/experiments/${id}`],
      ['GET', `/taskinstances/${id}`],
      ['GET', `/modules/${name}/code`],
      ['GET', `/resources/${id}?content=true`],
      ['GET', `/resources/${resource}?content=true&download=true`],
      ['GET', `/resources/${resource}/a?content=true`],
      ['GET', `/download/artifacts/code/${id}?is_dir=true&path=`],
      ['GET', '/projects/ann/private'],
    ];
    for (const [method, url] of asked) {
      expect([403, 404], url).toContain((await ask(bob.key, url, { method })).status);
    }
    expect((await ask(ann.key, `/resources/${resource}/a?content=true`)).status).toBe(200);
    const seen = await (await ask(bob.key, '/experiments/?family_id=ann/projects/private')).text();
    expect(seen).not.toContain(name);
    expect((await ask(ann.key, `/experiments/cancel/${id}`)).status).toBe(200);
    expect(await (await ask(ann.key, `/resources/${id}?content=true`)).text()).toMatch(
      /^stopped by ann\n\[shutdown\] Task execution cancelled\n$/,
    );
  });

  it('of a public project is everybody’s to see, and its owner’s to stop', async () => {
    const { id } = await job();
    const params = { owner: 'ann', project: 'private' };
    await ann.client.call(projectRoutes.update, { params, body: { public: true } });
    expect((await ask(bob.key, `/experiments/${id}`)).status).toBe(200);
    expect((await ask(bob.key, `/experiments/cancel/${id}`)).status).toBe(403);
    await ann.client.call(projectRoutes.update, { params, body: { public: false } });
  });
});

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
