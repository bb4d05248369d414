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
  folder = await mkdtemp(path.join(os.tmpdir(), 'mycloud-changes-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await api.close();
});

async function upload(files: Record<string, string>, client = ann) {
  const dir = await mkdtemp(path.join(folder, 'tree-'));
  for (const [name, text] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(dir, name)), { recursive: true });
    await writeFile(path.join(dir, name), text);
  }
  return uploadFolder({ client, dir });
}

describe('what changed between two trees', () => {
  it('is told with sizes, a part at a time, and only to who may see both', async () => {
    const old = await upload({ 'a/kept': 'same', 'a/gone': '12345', edited: 'one', typed: 'x' });
    const now = await upload({ 'a/kept': 'same', 'b/new': '1234567', edited: 'three', 'typed/in': 'x' });
    const changes = (query: { since: string; from?: number; limit?: number }, as = ann) =>
      as.call(snapshotRoutes.changes, { params: { id: now.snapshotId }, query });
    const all = await changes({ since: old.snapshotId });
    expect(all.items.map(({ path: at, change, before, after }) => [at, change, before, after])).toEqual([
      ['a/gone', 'removed', 5, null],
      ['b', 'added', null, 0],
      ['b/new', 'added', null, 7],
      ['edited', 'changed', 3, 5],
      ['typed', 'changed', 1, 0],
      ['typed/in', 'added', null, 1],
    ]);
    expect(all).toMatchObject({
      added: { paths: 3, bytes: 8 },
      removed: { paths: 1, bytes: 5 },
      changed: { paths: 2, bytes: 5 },
      next: null,
    });
    const first = await changes({ since: old.snapshotId, limit: 4 });
    expect(first.next).toBe(4);
    const rest = await changes({ since: old.snapshotId, from: 4, limit: 4 });
    expect([...first.items, ...rest.items]).toEqual(all.items);
    expect((await refused(changes({ since: old.snapshotId }, bob))).code).toBe('not_found');
    const own = await upload({ x: 'bob’s' }, bob);
    expect((await refused(changes({ since: own.snapshotId }))).code).toBe('not_found');
  });
});

describe('a folder of a snapshot', () => {
  it('becomes a snapshot of its own: the one that uploading that folder gives', async () => {
    const whole = await upload({ 'model/weights.h5': 'w', 'model/logs/a': 'log', other: 'o' });
    const params = { id: whole.snapshotId };
    const made = await ann.call(snapshotRoutes.folder, { params, body: { path: 'model/' } });
    const uploaded = await upload({ 'weights.h5': 'w', 'logs/a': 'log' });
    expect(uploaded).toMatchObject({ snapshotId: made.id, sentBytes: 0 });
    const making = (at: string, as = ann) =>
      refused(as.call(snapshotRoutes.folder, { params, body: { path: at } }));
    expect((await making('other')).code).toBe('bad_request');
    expect((await making('nowhere')).code).toBe('not_found');
    expect((await making('model', bob)).code).toBe('not_found');
  });

  it('of another’s public dataset is not made theirs', async () => {
    await ann.call(datasetRoutes.create, { body: { name: 'shown', public: true } });
    const { snapshotId } = await upload({ 'a/b': 'shown' });
    const at = { params: { owner: 'ann', dataset: 'shown' } };
    await ann.call(datasetRoutes.addVersion, { ...at, body: { snapshotId } });
    const taking = bob.call(snapshotRoutes.folder, { params: { id: snapshotId }, body: { path: 'a' } });
    expect((await refused(taking)).code).toBe('forbidden');
  });
});

describe('who uses a dataset', () => {
  it('is told by version, newest first, naming no job that the asker may not see', async () => {
    for (const name of ['used_set', 'used-set']) {
      await ann.call(datasetRoutes.create, { body: { name, public: true } });
      for (const text of ['one', 'two']) {
        const { snapshotId } = await upload({ [name]: text });
        const at = { params: { owner: 'ann', dataset: name } };
        await ann.call(datasetRoutes.addVersion, { ...at, body: { snapshotId } });
      }
    }
    const submit = async (as: Client, owner: string, source: string) => {
      const params = { owner, project: 'uses' };
      const mounts = [{ source, name: 'input' }];
      return as.call(jobRoutes.create, { params, body: { command: 'true', mounts } });
    };
    for (const client of [ann, bob]) await client.call(projectRoutes.create, { body: { name: 'uses' } });
    const first = await submit(ann, 'ann', 'ann/datasets/used_set/1');
    const second = await submit(ann, 'ann', 'ann/datasets/used_set/2');
    const secret = await submit(bob, 'bob', 'ann/datasets/used_set/2');
    // A name that differs where SQL's wildcard would not.
    await submit(ann, 'ann', 'ann/datasets/used-set/1');
    const uses = async (as: Client, number?: number) => {
      const at = { owner: 'ann', dataset: 'used_set' };
      const { items } = await as.call(datasetRoutes.uses, { params: at, query: { number } });
      return items.map((use) => [use.job, use.number]);
    };
    expect(await uses(ann)).toEqual([
      [second.name, 2],
      [first.name, 1],
    ]);
    expect(await uses(ann, 1)).toEqual([[first.name, 1]]);
    expect(await uses(bob)).toEqual([[secret.name, 2]]);
    for (const { number } of [first, second])
      await ann.call(jobRoutes.stop, { params: { owner: 'ann', project: 'uses', number } });
    await bob.call(jobRoutes.stop, { params: { owner: 'bob', project: 'uses', number: secret.number } });
    await ann.call(datasetRoutes.delete, { params: { owner: 'ann', dataset: 'used_set' } });
  });
});
