import { createClient, jobRoutes, projectRoutes } from '@mycloud/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refused } from './support/refused.js';
import { at, startWorld, type World } from './support/world.js';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

const project = { owner: 'lab', project: 'cats' };
const setPublic = (open: boolean) =>
  world.lab.call(projectRoutes.update, { params: project, body: { public: open } });

describe('tags, note and description of a job', () => {
  it('are changed one by one, while it waits and after its end, and nothing else of it is', async () => {
    const job = await world.submit({ description: 'first try', tags: ['baseline', 'baseline'] });
    expect(job).toMatchObject({ tags: ['baseline'], note: '' });
    const noted = await world.lab.call(jobRoutes.update, { ...at(job), body: { note: '<b>why</b>\n42' } });
    expect(noted).toEqual({
      ...job,
      note: '<b>why</b>\n42',
      revision: noted.revision,
      message: noted.message,
    });
    await world.lab.call(jobRoutes.stop, at(job));
    const body = { tags: ['best', 'größer'], description: 'renamed' };
    await world.lab.call(jobRoutes.update, { ...at(job), body });
    expect(await world.get(job)).toMatchObject({ ...body, note: '<b>why</b>\n42', status: 'stopped' });
  });

  it('are not changed by who has seen an older state, or by two at once', async () => {
    const job = await world.submit();
    const edit = (note: string, revision: string) =>
      world.lab.call(
        jobRoutes.update,
        { ...at(job), body: { note } },
        { headers: { 'if-match': `"${revision}"` } },
      );
    const ends = await Promise.allSettled([edit('one', job.revision), edit('two', job.revision)]);
    expect(ends.map((end) => end.status).sort()).toEqual(['fulfilled', 'rejected']);
    const error = await refused(edit('three', job.revision));
    expect(error).toMatchObject({
      code: 'changed_meanwhile',
      message: `${job.name} was changed meanwhile`,
      hint: expect.stringContaining('Look at it again'),
    });
    const now = await world.lab.open(jobRoutes.get, at(job));
    expect(now.headers.get('etag')).toBe(`"${(await world.get(job)).revision}"`);
    await edit('four', (await world.get(job)).revision);
    expect((await world.get(job)).note).toBe('four');
    const nonsense = world.lab.call(
      jobRoutes.update,
      { ...at(job), body: { note: '' } },
      { headers: { 'if-match': 'yes' } },
    );
    expect((await refused(nonsense)).code).toBe('bad_request');
  });

  it('are refused where they are too many, too long or hold what can’t be stored', async () => {
    const job = await world.submit();
    const edit = (body: object) => refused(world.lab.call(jobRoutes.update, { ...at(job), body }));
    expect((await edit({ tags: ['two words'] })).errors?.[0]?.message).toContain('one word');
    expect((await edit({ tags: Array.from({ length: 31 }, (_, i) => `t${i}`) })).errors?.[0]?.message).toBe(
      'at most 30 tags',
    );
    expect((await edit({ note: 'x\0' })).errors).toEqual([
      { path: 'note', message: 'a NUL character is not allowed' },
    ]);
    expect((await edit({ note: 'x'.repeat(20_001) })).code).toBe('bad_request');
  });

  it('are changed by the project’s owner alone; who may not see the project learns of none', async () => {
    const job = await world.submit();
    const edit = () => world.eve.call(jobRoutes.update, { ...at(job), body: { note: 'mine' } });
    expect((await refused(edit())).code).toBe('not_found');
    await setPublic(true);
    expect((await refused(edit())).code).toBe('forbidden');
    await setPublic(false);
    expect((await world.get(job)).note).toBe('');
  });

  it('find the job: by the tag, or by a part of it as text', async () => {
    const job = await world.submit({ tags: ['sweep-7'] });
    const list = async (query: object) =>
      (await world.lab.call(jobRoutes.list, { query })).items.map((one) => one.number);
    expect(await list({ tag: 'sweep-7' })).toEqual([job.number]);
    expect(await list({ tag: 'sweep' })).toEqual([]);
    expect(await list({ text: 'SWEEP' })).toEqual([job.number]);
  });
});

it('a project’s description is edited by who has seen it as it is', async () => {
  const before = await world.lab.call(projectRoutes.get, { params: project });
  const edit = (description: string) =>
    world.lab.call(
      projectRoutes.update,
      { params: project, body: { description } },
      { headers: { 'if-match': `"${before.revision}"` } },
    );
  expect((await edit('pets')).description).toBe('pets');
  expect((await refused(edit('dogs'))).code).toBe('changed_meanwhile');
});

describe('running a job again', () => {
  const secret = { API_KEY: 'hunter2', SEED: '1' };
  const restart = (job: Parameters<typeof at>[0], body: object, as = world.lab) =>
    as.call(jobRoutes.restart, { ...at(job), body });

  it('takes its code, mounts and settings, but for what is to be otherwise', async () => {
    const codeSnapshotId = await world.snapshot();
    const job = await world.submit({
      command: 'train --lr 0.1',
      description: 'a try',
      codeSnapshotId,
      tags: ['sweep'],
      maxRuntimeSeconds: 60,
      retries: 2,
      tensorboard: true,
    });
    const same = await restart(job, {});
    expect(same).toMatchObject({
      command: 'train --lr 0.1',
      description: 'a try',
      codeSnapshotId,
      tags: ['sweep'],
      maxRuntimeSeconds: 60,
      retries: 2,
      tensorboard: true,
      status: 'queued',
      note: '',
    });
    expect(same.number).toBeGreaterThan(job.number);
    const other = await restart(job, {
      command: 'train --lr 0.2',
      maxRuntimeSeconds: null,
      retries: 0,
      tensorboard: false,
      tags: [],
    });
    expect(other).toMatchObject({
      command: 'train --lr 0.2',
      description: 'a try',
      maxRuntimeSeconds: null,
      retries: 0,
      tensorboard: false,
      tags: [],
    });
  });

  it('hands its environment variables on without ever showing their values', async () => {
    const worker = await world.worker('w-env', { machines: ['cpu2'] });
    const job = await world.submit({ env: secret, machine: 'cpu2' });
    expect(job.envNames).toEqual(['API_KEY', 'SEED']);
    const again = await restart(job, { env: { SEED: '2', EXTRA: 'x' } });
    const without = await restart(job, { env: { API_KEY: null } });
    expect([again.envNames, without.envNames]).toEqual([['API_KEY', 'EXTRA', 'SEED'], ['SEED']]);
    const answers = JSON.stringify([
      job,
      again,
      await world.get(again),
      await world.lab.call(jobRoutes.list, {}),
    ]);
    expect(answers).not.toContain('hunter2');
    const given = new Map<string, Record<string, string>>();
    for (let i = 0; i < 3; i++) {
      const held = await worker.take();
      given.set(held.jobId, held.env);
      await worker.finish(held);
    }
    expect(given.get(again.id)).toMatchObject({ API_KEY: 'hunter2', SEED: '2', EXTRA: 'x' });
    expect(given.get(without.id)).not.toHaveProperty('API_KEY');
  });

  it('mounts the same bytes even if the dataset’s version has gone, and looks others up', async () => {
    const { pool } = world.api.deps;
    const snapshotId = await world.snapshot();
    await pool.query('INSERT INTO "Dataset" (id, "ownerId", name) VALUES ($1, $2, $3)', [
      snapshotId,
      world.labId,
      'gone',
    ]);
    await pool.query(
      'INSERT INTO "DatasetVersion" (id, "datasetId", number, "snapshotId") VALUES ($1, $1, 1, $1)',
      [snapshotId],
    );
    const job = await world.submit({ mounts: [{ source: 'gone', name: 'input' }] });
    await pool.query('DELETE FROM "Dataset" WHERE id = $1', [snapshotId]);
    expect((await restart(job, {})).mounts).toEqual(job.mounts);
    const moved = restart(job, { mounts: [{ source: 'lab/datasets/gone/1', name: 'data' }] });
    expect((await refused(moved)).code).toBe('not_found');
    expect((await restart(job, { mounts: [] })).mounts).toEqual([]);
  });

  it('is the same job for the same call made again, and refuses what makes no sense', async () => {
    const job = await world.submit();
    const once = () =>
      world.lab.call(
        jobRoutes.restart,
        { ...at(job), body: {} },
        { headers: { 'idempotency-key': 'again' } },
      );
    expect((await once()).id).toBe((await once()).id);
    expect((await refused(restart(job, { command: ' ' }))).errors?.[0]?.message).toBe('say what to run');
    expect((await refused(restart(job, { machine: 'gpuu' }))).hint).toMatch(/^Did you mean gpu/);
    expect((await refused(restart(job, { env: { 'A B': 'x' } }))).code).toBe('bad_request');
  });

  it('is for who may submit to the project: secrets of a public job go to nobody else', async () => {
    const job = await world.submit({ env: secret });
    expect((await refused(restart(job, {}, world.eve))).code).toBe('not_found');
    await setPublic(true);
    expect((await refused(restart(job, {}, world.eve))).code).toBe('forbidden');
    expect((await refused(world.eve.call(jobRoutes.delete, at(job)))).code).toBe('forbidden');
    expect((await world.get(job, world.eve)).envNames).toEqual(['API_KEY', 'SEED']);
    await setPublic(false);
    const worker = createClient({ url: world.api.url, token: world.workerToken });
    expect((await refused(restart(job, {}, worker))).code).toBe('forbidden');
  });
});
