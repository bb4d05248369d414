import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {
  type Client,
  datasetRoutes,
  type GarbageReport,
  snapshotRoutes,
  storageRoutes,
} from '@mycloud/shared';
import { materialize, type UploadResult, uploadFolder } from '@mycloud/snapshots';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startPostgres, type TestPostgres } from '../../../test/support/postgres.js';
import { wantProgram } from '../../../test/support/require.js';
import { bucketEnv, type RunningService, startMinio } from '../../../test/support/services.js';
import { type RunningApi, startApi } from './support/api.js';
import { refused } from './support/refused.js';

const MiB = 2 ** 20;
let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startPostgres();
});
afterAll(() => postgres.stop());

describe.each(['directory', 's3'] as const)('what nothing refers to, on the %s store,', (kind) => {
  const missing = kind === 's3' && !wantProgram('minio');
  let minio: RunningService | undefined;
  let api: RunningApi;
  let ann: Client;
  let dir: string;

  beforeAll(async () => {
    if (missing) return;
    minio = kind === 's3' ? await startMinio() : undefined;
  });
  afterAll(() => minio?.stop());
  beforeEach(async () => {
    dir = await mkdtemp(path.join(os.tmpdir(), 'mycloud-garbage-'));
    api = await startApi((await postgres.createDatabase()).url, {
      MYCLOUD_GC_GRACE_SECONDS: '0',
      ...(minio && bucketEnv(minio, `gc-${randomBytes(6).toString('hex')}`)),
    });
    ann = await api.user('ann');
  });
  afterEach(async () => {
    await api.close();
    await rm(dir, { recursive: true, force: true });
  });

  const collect = (dryRun = false): Promise<GarbageReport> =>
    api.admin.call(storageRoutes.collectGarbage, { body: { dryRun } });
  const upload = (client = ann): Promise<UploadResult> => uploadFolder({ client, dir });
  const params = { owner: 'ann', dataset: 'd' };
  async function version(client = ann): Promise<UploadResult> {
    const sent = await upload(client);
    await client.call(datasetRoutes.addVersion, { params, body: { snapshotId: sent.snapshotId } });
    return sent;
  }
  async function objects(): Promise<{ count: number; bytes: number }> {
    let count = 0;
    let bytes = 0;
    for await (const { size } of api.deps.store.list('packs/')) {
      count += 1;
      bytes += size;
    }
    return { count, bytes };
  }
  async function expectWhole({ snapshotId }: UploadResult, files: Record<string, Buffer>): Promise<void> {
    const target = await mkdtemp(path.join(os.tmpdir(), 'mycloud-garbage-target-'));
    try {
      await materialize({ client: ann, snapshotId, dir: target });
      for (const [name, content] of Object.entries(files)) {
        expect((await readFile(path.join(target, name))).equals(content), name).toBe(true);
      }
    } finally {
      await rm(target, { recursive: true });
    }
  }

  it.skipIf(missing)('is freed, and what a version still needs stays', async () => {
    const both = randomBytes(2 * MiB);
    await writeFile(path.join(dir, 'both'), both);
    await writeFile(path.join(dir, 'first'), randomBytes(3 * MiB));
    await ann.call(datasetRoutes.create, { body: { name: 'd' } });
    await version();
    await rm(path.join(dir, 'first'));
    await writeFile(path.join(dir, 'second'), randomBytes(MiB));
    const second = await version();
    expect((await objects()).bytes).toBe(6 * MiB);

    await ann.call(datasetRoutes.deleteVersion, { params: { ...params, number: 1 } });
    expect(await collect()).toMatchObject({ doomedSnapshots: 1, deletedSnapshots: 0 });
    expect(await collect(true)).toMatchObject({ dryRun: true, deletedSnapshots: 1, rewrittenPacks: 1 });
    expect((await objects()).bytes).toBe(6 * MiB);
    // The first pack holds 2 of 5 MiB: what is left of it moves, and then it goes.
    expect(await collect()).toMatchObject({ deletedSnapshots: 1, rewrittenPacks: 1 });
    expect(await collect()).toMatchObject({ deletedPacks: 1, freedBytes: 5 * MiB });
    expect((await objects()).bytes).toBe(3 * MiB);
    await expectWhole(second, { both });

    await ann.call(datasetRoutes.delete, { params });
    for (const _ of ['doomed', 'without chunks', 'gone']) await collect();
    expect(await objects()).toEqual({ count: 0, bytes: 0 });
    expect(await ann.call(storageRoutes.mine, {})).toMatchObject({ storedBytes: 0, logicalBytes: 0 });
    expect(await refused(ann.call(snapshotRoutes.get, { params: { id: second.snapshotId } }))).toMatchObject({
      code: 'not_found',
    });
    // What is gone is known to be gone: the same folder is sent anew.
    expect((await upload()).sentBytes).toBe(3 * MiB);
  });

  it.skipIf(missing)(
    'is kept for the grace period, and for good when somebody uploads it again',
    async () => {
      api.deps.config.gcGraceSeconds = 3600;
      await writeFile(path.join(dir, 'a'), randomBytes(MiB));
      const first = await upload();
      expect(await collect()).toMatchObject({ doomedSnapshots: 1, doomedChunks: 1, deletedChunks: 0 });
      const again = await upload();
      expect(again).toMatchObject({ snapshotId: first.snapshotId, sentBytes: 0 });
      const doomed = () =>
        api.deps.pool.query(`SELECT 1 FROM "Snapshot" WHERE "doomedAt" IS NOT NULL
        UNION ALL SELECT 1 FROM "Chunk" WHERE "doomedAt" IS NOT NULL`);
      expect((await doomed()).rowCount).toBe(0);
    },
  );

  it.skipIf(missing)('is what an upload left that never ended', async () => {
    const bytes = randomBytes(1000);
    const chunk = { hash: 'a'.repeat(64), offset: 0, size: 1000 };
    const sent = { checksum: `sha256:${'b'.repeat(64)}`, size: 1000, chunks: [chunk] };
    const id = (await ann.call(snapshotRoutes.createPack, { body: sent })).id!;
    const key = `packs/${(await api.deps.db.pack.findUniqueOrThrow({ where: { id } })).ownerId}/${id}`;
    await api.deps.store.put(key, bytes, bytes.length);
    expect((await collect()).incompletePacks).toBe(0);
    await api.deps.pool.query(`UPDATE "Pack" SET "createdAt" = now() - interval '2 hours'`);
    expect(await collect()).toMatchObject({ incompletePacks: 1, freedBytes: 1000 });
    expect((await objects()).count).toBe(0);
    const late = await refused(ann.call(snapshotRoutes.commitPack, { params: { id }, body: {} }));
    expect(late.code).toBe('not_found');
  });

  it.skipIf(missing)(
    'goes while others upload and delete, and nothing that is referred to is lost',
    async () => {
      // Unreferenced bytes may go at any moment, even between an upload and its version: both are done again then.
      await ann.call(datasetRoutes.create, { body: { name: 'd' } });
      const shared = randomBytes(MiB / 2);
      let over = false;
      const collecting = (async () => {
        while (!over) await collect();
      })();
      const kept: { sent: UploadResult; files: Record<string, Buffer> }[] = [];
      await Promise.all(
        [0, 1, 2].map(async (who) => {
          for (let round = 0; round < 6; round++) {
            const own = await mkdtemp(path.join(dir, `u${who}-`));
            const files = { shared, own: randomBytes(200_000), [`n${who}`]: randomBytes(1000) };
            await mkdir(own, { recursive: true });
            for (const [name, content] of Object.entries(files))
              await writeFile(path.join(own, name), content);
            const { sent, number } = await persist(own);
            if (round % 2 === 0) kept.push({ sent, files });
            else await ann.call(datasetRoutes.deleteVersion, { params: { ...params, number } });
          }
        }),
      );
      over = true;
      await collecting;
      for (let run = 0; run < 5; run++) await collect();
      for (const { sent, files } of kept) await expectWhole(sent, files);
      const live = kept.length * 201_000 + shared.length;
      expect((await objects()).bytes).toBeLessThan(2 * live);
    },
    120_000,
  );

  async function persist(from: string): Promise<{ sent: UploadResult; number: number }> {
    for (;;) {
      try {
        const sent = await uploadFolder({ client: ann, dir: from });
        const body = { snapshotId: sent.snapshotId };
        return { sent, number: (await ann.call(datasetRoutes.addVersion, { params, body })).number };
      } catch (error) {
        // With no grace at all, what was just stored may be gone before it is referred to; the server says so.
        if (!['conflict', 'not_found'].includes((error as { code?: string }).code ?? '')) throw error;
      }
    }
  }
});
