import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { type Client, snapshotRoutes, storageRoutes } from '@mycloud/shared';
import { uploadFolder } from '@mycloud/snapshots';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type RunningApi, startApiAlone } from './support/api.js';
import { refused } from './support/refused.js';

let api: RunningApi;
let dir: string;
let person = 0;
let ann: Client;

beforeAll(async () => {
  api = await startApiAlone({ MYCLOUD_QUOTA_BYTES: '1000000' });
  dir = await mkdtemp(path.join(os.tmpdir(), 'mycloud-quota-'));
});
afterAll(async () => {
  await rm(dir, { recursive: true, force: true });
  await api.close();
});
beforeEach(async () => {
  person += 1;
  ann = await api.user(`ann${person}`);
});

const storage = () => ann.call(storageRoutes.mine, {});
const setQuota = (quotaBytes: number | null) =>
  api.admin.call(storageRoutes.setQuota, { params: { user: `ann${person}` }, body: { quotaBytes } });

/** Announces a pack of random bytes and sends them. @returns its id, to be committed */
async function send(size: number): Promise<string> {
  const bytes = randomBytes(size);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const body = { checksum: `sha256:${sha256}`, size, chunks: [{ hash: sha256, offset: 0, size }] };
  const { id, upload } = await ann.call(snapshotRoutes.createPack, { body });
  const answer = await fetch(new URL(upload!.url, api.url), {
    method: 'PUT',
    headers: upload!.headers,
    body: bytes,
  });
  expect(answer.status).toBeLessThan(300);
  return id!;
}
const commit = (id: string) => ann.call(snapshotRoutes.commitPack, { params: { id }, body: {} });

it('is refused before a byte is sent that would exceed it, with what to do', async () => {
  await writeFile(path.join(dir, 'large'), randomBytes(1_000_001));
  const error = await refused(uploadFolder({ client: ann, dir }));
  expect(error).toMatchObject({ code: 'quota_exceeded', hint: expect.stringContaining('ask an admin') });
  expect(error.message).toBe('your quota is 1.0 MB; with this upload you would store 1.0 MB');
  expect(await storage()).toEqual({ logicalBytes: 0, storedBytes: 0, quotaBytes: 1_000_000 });

  await setQuota(2_000_000);
  expect((await uploadFolder({ client: ann, dir })).sentBytes).toBe(1_000_001);
  expect(await storage()).toEqual({ logicalBytes: 1_000_001, storedBytes: 1_000_001, quotaBytes: 2_000_000 });
  // What is stored already costs nothing more.
  await setQuota(1_000_001);
  expect((await uploadFolder({ client: ann, dir })).sentBytes).toBe(0);
});

it('counts what is on its way, so that two uploads at once do not exceed it together', async () => {
  const first = await send(600_000);
  expect((await refused(send(600_000))).code).toBe('quota_exceeded');
  await commit(first);
  expect(await storage()).toMatchObject({ storedBytes: 600_000 });
});

it('is asked again at commit, should it have shrunk meanwhile', async () => {
  const [first, second] = [await send(400_000), await send(400_000)];
  await setQuota(500_000);
  const ends = await Promise.allSettled([commit(first), commit(second)]);
  expect(ends.filter((end) => end.status === 'fulfilled')).toHaveLength(1);
  expect(ends.find((end) => end.status === 'rejected')?.reason).toMatchObject({ code: 'quota_exceeded' });
  expect((await storage()).storedBytes).toBe(400_000);
  await setQuota(null);
  await Promise.all([commit(first), commit(second)]);
  expect(await storage()).toMatchObject({ storedBytes: 800_000, quotaBytes: 1_000_000 });
});
