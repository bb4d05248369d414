import { createClient, type Job, jobRoutes } from '@mycloud/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../src/jobs/id.js';
import { compactLogs } from '../src/logs/compact.js';
import { refused } from './support/refused.js';
import { at, startWorld, type World } from './support/world.js';

let world: World;
beforeAll(async () => {
  world = await startWorld();
  await addDataset('lab', 'dogsvscats', 2);
  await addDataset('lab', 'empty', 0);
  await addDataset('eve', 'secret', 1);
  await addDataset('eve', 'shared', 1, true);
});
afterAll(() => world.close());

async function addDataset(owner: string, name: string, versions: number, open = false): Promise<void> {
  const { pool } = world.api.deps;
  const id = newId();
  const { rows } = await pool.query<{ id: string }>('SELECT id FROM "User" WHERE name = $1', [owner]);
  const ownerId = rows[0]!.id;
  await pool.query('INSERT INTO "Dataset" (id, "ownerId", name, public) VALUES ($1, $2, $3, $4)', [
    id,
    ownerId,
    name,
    open,
  ]);
  for (let number = 1; number <= versions; number++) {
    await pool.query(
      'INSERT INTO "DatasetVersion" (id, "datasetId", number, "snapshotId") VALUES ($1, $2, $3, $4)',
      [newId(), id, number, await world.snapshot(ownerId)],
    );
  }
}

const mount = (source: string) => world.submit({ mounts: [{ source, name: 'input' }] });

describe('submitting', () => {
  it('numbers jobs from 1 without gaps, many at once', async () => {
    const before = (await world.submit()).number;
    const jobs = await Promise.all(Array.from({ length: 8 }, () => world.submit()));
    const numbers = jobs.map((job) => job.number).sort((a, b) => a - b);
    expect(numbers).toEqual(Array.from({ length: 8 }, (_, i) => before + 1 + i));
  });

  it('answers the same job to the same call made again, and refuses its key for another', async () => {
    const headers = { 'idempotency-key': 'once' };
    const both = await Promise.all([
      world.submit({ command: 'a' }, headers),
      world.submit({ command: 'a' }, headers),
    ]);
    expect(both[0].id).toBe(both[1].id);
    expect((await world.submit({ command: 'a' }, headers)).id).toBe(both[0].id);
    const other = await refused(world.submit({ command: 'b' }, headers));
    expect(other).toMatchObject({ code: 'conflict', message: expect.stringContaining('"once"') });
  });

  it('keeps what a mount named when it was submitted', async () => {
    const job = await mount('dogsvscats');
    expect(job.mounts).toMatchObject([{ name: 'input', source: 'lab/datasets/dogsvscats/2' }]);
    expect((await mount('lab/dogsvscats/1')).mounts[0]?.source).toBe('lab/datasets/dogsvscats/1');
    expect((await mount('eve/datasets/shared')).mounts[0]?.source).toBe('eve/datasets/shared/1');
  });

  it('names the nearest when a dataset, version, machine, environment or project is unknown', async () => {
    expect(await refused(mount('dogsvcats'))).toMatchObject({
      code: 'not_found',
      message: 'there is no dataset lab/datasets/dogsvcats, or you may not see it',
      hint: 'Did you mean lab/datasets/dogsvscats?',
    });
    expect((await refused(mount('dogsvscats/7'))).hint).toContain('lab/datasets/dogsvscats/2');
    expect((await refused(mount('empty'))).message).toBe('lab/datasets/empty has no version yet');
    const secret = await refused(mount('eve/datasets/secret'));
    expect([secret.code, secret.hint ?? '']).toEqual(['not_found', expect.not.stringContaining('secret')]);
    expect((await refused(world.submit({ machine: 'gpuu' }))).hint).toMatch(/^Did you mean gpu/);
    expect((await refused(world.submit({ environment: 'kerras-2.15' }))).hint).toContain('keras-2.15');
    const create = { params: { owner: 'lab', project: 'cat' }, body: { command: 'true' } };
    expect((await refused(world.lab.call(jobRoutes.create, create))).hint).toBe(
      'Did you mean lab/projects/cats?',
    );
  });

  it('mounts the output of a job once it has one', async () => {
    const worker = await world.worker('w-out', { machines: ['cpu2'] });
    const first = await world.submit({ machine: 'cpu2' });
    expect((await refused(mount(`${first.name}/output`))).message).toBe(`${first.name} has no output yet`);
    const output = await world.snapshot();
    await worker.finish(await worker.take(), { outputSnapshotId: output });
    const next = await mount(`${first.name}/output`);
    expect(next.mounts).toEqual([{ name: 'input', source: `${first.name}/output`, snapshotId: output }]);
  });

  it('takes only code of the caller’s own, and jobs only for a project of one’s own', async () => {
    const { rows } = await world.api.deps.pool.query<{ id: string }>(
      `SELECT id FROM "User" WHERE name = 'eve'`,
    );
    const hers = await world.snapshot(rows[0]!.id);
    expect((await refused(world.submit({ codeSnapshotId: hers }))).code).toBe('not_found');
    const call = { params: { owner: 'lab', project: 'cats' }, body: { command: 'true' } };
    expect((await refused(world.eve.call(jobRoutes.create, call))).code).toBe('not_found');
  });
});

describe('seeing', () => {
  it('lists page by page, newest first, each once', async () => {
    const pages: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await world.lab.call(jobRoutes.list, { query: { limit: 3, cursor, owner: 'lab' } });
      pages.push(...page.items.map((job: Job) => job.id));
      cursor = page.nextCursor ?? undefined;
    } while (cursor);
    const { rows } = await world.api.deps.pool.query<{ id: string }>(
      'SELECT id FROM "Job" ORDER BY "createdAt" DESC, id DESC',
    );
    expect(pages).toEqual(rows.map((row) => row.id));
    expect((await world.eve.call(jobRoutes.list, { query: {} })).items).toEqual([]);
    const ended = await world.lab.call(jobRoutes.list, { query: { status: 'succeeded' } });
    expect(new Set(ended.items.map((job) => job.status))).toEqual(new Set(['succeeded']));
    expect((await refused(world.lab.call(jobRoutes.list, { query: { cursor: 'x' } }))).code).toBe(
      'bad_request',
    );
  });

  it('is for the owner alone until the project is public, and then read only', async () => {
    const job = await world.submit({ machine: 'gpu2' });
    expect((await refused(world.get(job, world.eve))).code).toBe('not_found');
    const { pool } = world.api.deps;
    await pool.query(`UPDATE "Project" SET public = true WHERE name = 'cats'`);
    expect((await world.get(job, world.eve)).id).toBe(job.id);
    expect((await refused(world.eve.call(jobRoutes.stop, at(job)))).code).toBe('forbidden');
    expect((await refused(world.eve.call(jobRoutes.delete, at(job)))).code).toBe('forbidden');
    await pool.query(`UPDATE "Project" SET public = false WHERE name = 'cats'`);
    expect((await refused(world.lab.call(jobRoutes.get, at({ ...job, number: 999 })))).hint).toMatch(
      /newest job/,
    );
  });

  it('says why a job waits', async () => {
    const cluster = await world.startApi({ MYCLOUD_EMBEDDED: '0' });
    const first = await world.submit({ machine: 'gpu' });
    expect(first.message).toMatch(/^no worker offers gpu; start one/);
    const worker = await world.worker('w-gpu', { machines: ['gpu'], gpus: 1 });
    const held = await worker.take();
    expect(held.notes).toEqual([]);
    await world.submit({ machine: 'gpu' });
    const third = await world.submit({ machine: 'gpu' });
    expect(third.message).toMatch(
      new RegExp(`^2nd in line for gpu; 1 worker offers gpu, busy with ${first.name} since \\d\\d:\\d\\d$`),
    );
    // A cluster gives no --gpu job to a worker without a GPU; an embedded server does, and says so.
    await world.worker('w-none', { machines: ['gpu2'], api: cluster });
    const waits = await world.submit({ machine: 'gpu2' });
    const lab = createClient({ url: cluster.url, token: world.labToken });
    expect((await lab.call(jobRoutes.get, at(waits))).message).toMatch(/^no worker offers gpu2; .* 2 GPUs$/);
    await worker.finish(held);
  });
});

describe('deleting', () => {
  it('is refused until the job has ended, and then takes its logs along', async () => {
    const worker = await world.worker('w-del', { machines: ['cpu2'] });
    const job = await world.submit({ machine: 'cpu2' });
    expect((await refused(world.lab.call(jobRoutes.delete, at(job)))).code).toBe('conflict');
    const held = await worker.take();
    await worker.log(held, 1, ['one']);
    await worker.finish(held, { lastSeq: 1 });
    const { deps } = world.api;
    await compactLogs(deps);
    const { rows } = await deps.pool.query<{ logKey: string }>(
      'SELECT "logKey" FROM "Attempt" WHERE "jobId" = $1',
      [job.id],
    );
    const key = rows[0]!.logKey;
    expect(await deps.store.stat(key)).toBeDefined();
    await world.lab.call(jobRoutes.delete, at(job));
    expect(await deps.store.stat(key)).toBeUndefined();
    expect((await refused(world.get(job))).code).toBe('not_found');
  });
});
