import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { type Client, datasetRoutes, jobRoutes, projectRoutes, snapshotRoutes } from '@mycloud/shared';
import { uploadFolder } from '@mycloud/snapshots';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningApi, startApiAlone } from './support/api.js';
import { refused } from './support/refused.js';

let api: RunningApi;
let ann: Client;
let bob: Client;
let folder: string;

beforeAll(async () => {
  api = await startApiAlone();
  [ann, bob] = [await api.user('ann'), await api.user('bob')];
  folder = await mkdtemp(path.join(os.tmpdir(), 'mycloud-datasets-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await api.close();
});

/** Uploads files as ann, and makes them the next version. */
async function addVersion(dataset: string, files: Record<string, string>) {
  const dir = await mkdtemp(path.join(folder, 'version-'));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(dir, name)), { recursive: true });
    await writeFile(path.join(dir, name), text);
  }
  const { snapshotId } = await uploadFolder({ client: ann, dir });
  return ann.call(datasetRoutes.addVersion, { params: { owner: 'ann', dataset }, body: { snapshotId } });
}
const create = (name: string, more: { public?: boolean } = {}) =>
  ann.call(datasetRoutes.create, { body: { name, ...more } });
const at = (dataset: string) => ({ params: { owner: 'ann', dataset } });

describe('a dataset', () => {
  it('numbers its versions from 1, and the same files again are the version they were', async () => {
    await create('pets');
    const first = await addVersion('pets', { 'train/cats/1.txt': 'cat', 'train/dogs/1.txt': 'dog' });
    expect(first).toMatchObject({ name: 'ann/datasets/pets/1', number: 1, files: 2, bytes: 6 });
    expect(await addVersion('pets', { 'train/cats/1.txt': 'cat', 'train/dogs/1.txt': 'dog' })).toEqual(first);
    const second = await addVersion('pets', { 'train/cats/1.txt': 'a cat' });
    expect(second.number).toBe(2);
    expect((await ann.call(datasetRoutes.get, at('pets'))).latest).toEqual(second);
    const { items } = await ann.call(datasetRoutes.versions, at('pets'));
    expect(items).toEqual([second, first]);
  });

  it('does not use a number again when a version is deleted', async () => {
    await create('numbers');
    await addVersion('numbers', { a: '1' });
    const { number } = await addVersion('numbers', { a: '2' });
    await ann.call(datasetRoutes.deleteVersion, { params: { ...at('numbers').params, number } });
    expect((await addVersion('numbers', { a: '3' })).number).toBe(3);
  });

  it('is a stranger’s to read only when it is public, and never to change', async () => {
    await create('secret');
    const { snapshotId } = await addVersion('secret', { a: 'mine' });
    expect((await refused(bob.call(datasetRoutes.get, at('secret')))).code).toBe('not_found');
    expect((await refused(bob.call(snapshotRoutes.files, { params: { id: snapshotId } }))).code).toBe(
      'not_found',
    );
    await create('open', { public: true });
    const open = await addVersion('open', { b: 'ours' });
    expect((await bob.call(datasetRoutes.get, at('open'))).latest).toEqual(open);
    const file = { params: { id: open.snapshotId }, query: { path: 'b' } };
    expect(await (await bob.open(snapshotRoutes.file, file)).text()).toBe('ours');
    expect((await refused(bob.call(datasetRoutes.delete, at('open')))).code).toBe('forbidden');
    const names = (await bob.call(datasetRoutes.list, {})).items.map((dataset) => dataset.name);
    expect(names).toContain('open');
    expect(names).not.toContain('secret');
  });

  it('takes no snapshot of another’s as a version', async () => {
    await create('mine');
    const dir = await mkdtemp(path.join(folder, 'bob-'));
    await writeFile(path.join(dir, 'x'), 'bob’s');
    const { snapshotId } = await uploadFolder({ client: bob, dir });
    const taking = ann.call(datasetRoutes.addVersion, { ...at('mine'), body: { snapshotId } });
    expect((await refused(taking)).code).toBe('not_found');
  });

  it('is kept while a job that has not ended needs it', async () => {
    await create('needed');
    await addVersion('needed', { a: '1' });
    await ann.call(projectRoutes.create, { body: { name: 'uses' } });
    const params = { owner: 'ann', project: 'uses' };
    const body = { command: 'true', mounts: [{ source: 'needed', name: 'input' }] };
    const { number } = await ann.call(jobRoutes.create, { params, body });
    const error = await refused(ann.call(datasetRoutes.delete, at('needed')));
    expect(error).toMatchObject({ code: 'conflict', message: expect.stringContaining(`uses/${number}`) });
    await ann.call(jobRoutes.stop, { params: { ...params, number } });
    await ann.call(datasetRoutes.delete, at('needed'));
    expect((await refused(ann.call(datasetRoutes.get, at('needed')))).code).toBe('not_found');
  });

  it('of a name that is none, or is taken, is refused', async () => {
    expect((await refused(create('Dogs & Cats'))).errors?.[0]?.path).toBe('name');
    await create('once');
    expect((await refused(create('once'))).code).toBe('conflict');
    const error = await refused(ann.call(datasetRoutes.get, at('onec')));
    expect(error.hint).toContain('ann/datasets/once');
  });

  it('is listed page by page, each once', async () => {
    for (let i = 0; i < 5; i++) await create(`page-${i}`);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page: { items: { name: string }[]; nextCursor: string | null } = await ann.call(
        datasetRoutes.list,
        {
          query: { limit: 2, cursor },
        },
      );
      seen.push(...page.items.map((dataset) => dataset.name));
      cursor = page.nextCursor ?? undefined;
    } while (cursor);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen.slice(0, 5)).toEqual(['page-4', 'page-3', 'page-2', 'page-1', 'page-0']);
  });
});

describe('the files of a snapshot', () => {
  let id: string;
  const big = Array.from({ length: 300_000 }, (_, i) => String.fromCharCode(32 + (i % 90))).join('');
  beforeAll(async () => {
    await create('tree');
    id = (await addVersion('tree', { 'a/b/c.txt': 'deep', 'a/d.txt': '12345', 'big.txt': big, empty: '' }))
      .snapshotId;
  });
  const list = (folderPath?: string) =>
    ann
      .call(snapshotRoutes.files, { params: { id }, query: { path: folderPath } })
      .then((answer) => answer.items);
  const read = (file: string, headers: Record<string, string> = {}) =>
    ann.open(snapshotRoutes.file, { params: { id }, query: { path: file } }, { headers });

  it('are listed one level at a time, a folder with what is below it', async () => {
    expect(await list()).toEqual([
      { name: 'a', path: 'a', type: 'dir', size: 9, files: 2 },
      { name: 'big.txt', path: 'big.txt', type: 'file', size: big.length, files: 1 },
      { name: 'empty', path: 'empty', type: 'file', size: 0, files: 1 },
    ]);
    expect((await list('a/b/')).map((item) => item.path)).toEqual(['a/b/c.txt']);
    expect((await refused(list('a/x'))).code).toBe('not_found');
  });

  it('are read whole, empty, or by Range', async () => {
    expect(await (await read('big.txt')).text()).toBe(big);
    expect(await (await read('empty')).text()).toBe('');
    const part = await read('big.txt', { range: 'bytes=100000-100099' });
    expect(part.status).toBe(206);
    expect(part.headers.get('content-range')).toBe(`bytes 100000-100099/${big.length}`);
    expect(await part.text()).toBe(big.slice(100_000, 100_100));
    expect(await (await read('big.txt', { range: 'bytes=-7' })).text()).toBe(big.slice(-7));
    expect((await refused(read('big.txt', { range: `bytes=${big.length}-` }))).code).toBe('bad_request');
  });

  it('are never served as a page of ours', async () => {
    const { headers } = await read('a/d.txt');
    expect(headers.get('content-security-policy')).toBe('sandbox');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('content-disposition')).toMatch(/^attachment/);
  });

  it('that are folders, or lie outside, are refused', async () => {
    expect((await refused(read('a'))).code).toBe('bad_request');
    for (const file of ['../secret', '/etc/passwd', 'a/../big.txt', 'A/D.TXT'])
      expect((await refused(read(file))).code, file).toBe('not_found');
  });
});
