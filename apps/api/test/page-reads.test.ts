import { randomUUID } from 'node:crypto';
import { type Client, type Job, jobRoutes, logRoutes, readEvents } from '@mycloud/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compactLogs } from '../src/logs/compact.js';
import { at, startWorld, type World } from './support/world.js';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.close());

/** What a page that is open as this user hears of jobs. */
async function listen(as: Client) {
  const leaving = new AbortController();
  const response = await as.open(jobRoutes.stream, {}, { signal: leaving.signal });
  const jobs: Job[] = [];
  const metrics: string[] = [];
  const gone: string[] = [];
  const read = async () => {
    for await (const { event, data } of readEvents(response)) {
      if (event === 'jobs') jobs.push(...(JSON.parse(data) as { items: Job[] }).items);
      if (event === 'gone') gone.push(...(JSON.parse(data) as { ids: string[] }).ids);
      if (event === 'metrics') metrics.push(...(JSON.parse(data) as { names: string[] }).names);
    }
  };
  const done = read().catch((error: unknown) => {
    if (!leaving.signal.aborted) throw error;
  });
  return {
    jobs,
    metrics,
    gone,
    async leave() {
      leaving.abort();
      await done;
    },
  };
}

describe('the stream of changed jobs', () => {
  it('tells each page of the jobs its user may see, also those changed through another api', async () => {
    const other = await world.startApi();
    const worker = await world.worker('w-stream', { api: other });
    const lab = await listen(world.lab);
    const eve = await listen(world.eve);
    const job = await world.submit();
    const held = await worker.take();
    await worker.status(held, 'running');
    await world.until('it is told that it runs', async () =>
      lab.jobs.some((one) => one.id === job.id && one.status === 'running') ? true : undefined,
    );
    await worker.metrics(held, randomUUID(), [{ name: 'loss', step: 1, value: 0.5 }]);
    await world.until('it is told of the point', async () =>
      lab.metrics.includes(job.name) ? true : undefined,
    );
    expect(lab.jobs.at(-1)?.metrics).toEqual({ loss: 0.5 });
    await worker.finish(held);
    await world.until('it is told of the end', async () =>
      lab.jobs.at(-1)?.status === 'succeeded' ? true : undefined,
    );
    await world.lab.call(jobRoutes.delete, at(job));
    await world.until('it is told that the job is gone', async () =>
      lab.gone.includes(job.id) ? true : undefined,
    );
    expect(eve.jobs).toEqual([]);
    await lab.leave();
    await eve.leave();
  });
});

describe('the list of jobs', () => {
  it('is searched by command, description and name, taking every character as itself', async () => {
    const one = await world.submit({ command: 'echo 100%_done', description: 'The Final Run' });
    const two = await world.submit({ command: 'echo 100 done' });
    const found = async (text: string) =>
      (await world.lab.call(jobRoutes.list, { query: { text, limit: 500 } })).items.map((job) => job.number);
    expect(await found('100%_')).toEqual([one.number]);
    expect(await found('final run')).toEqual([one.number]);
    expect(await found('DONE')).toEqual([two.number, one.number]);
    expect(await found(`projects/cats/${two.number}`)).toEqual([two.number]);
    expect(await found(`s/cats/${two.number}`)).toEqual([two.number]);
    expect(await found(`/cats/${two.number}0`)).toEqual([]);
    expect((await found('lab/projects/ca')).slice(0, 2)).toEqual([two.number, one.number]);
    expect(await found('\\')).toEqual([]);
    // An edit is found at once, what it replaced no more.
    await world.lab.call(jobRoutes.update, { ...at(one), body: { description: 'Draft', tags: ['blue'] } });
    expect(await found('final run')).toEqual([]);
    expect(await found('BLU')).toEqual([one.number]);
    for (const job of [one, two]) await world.lab.call(jobRoutes.stop, at(job));
  });
});

describe('a log', () => {
  it('says how many lines each attempt has, and is searched over all of them, a part at a time', async () => {
    const worker = await world.worker('w-search');
    const job = await world.submit();
    const first = await worker.take();
    await worker.log(first, 1, ['Hay', '\x1b[31mnee\x1b[0mdle', 'hay']);
    await worker.finish(first, { reason: 'worker_error', exitCode: null, lastSeq: 3 });
    const second = await worker.take();
    await worker.log(second, 1, ['hay', 'a NEEDLE (again)', 'needles']);

    const { items } = await world.lab.call(logRoutes.attempts, at(job));
    expect(items).toEqual([
      { attempt: 1, lines: 3 },
      { attempt: 2, lines: 3 },
    ]);
    const search = (query: { text: string; after?: string; limit?: number }) =>
      world.lab.call(logRoutes.search, { ...at(job), query });
    const all = await search({ text: 'Needle' });
    expect(all.lines.map(({ attempt, seq }) => [attempt, seq])).toEqual([
      [1, 2],
      [2, 2],
      [2, 3],
    ]);
    expect(all).toMatchObject({ cursor: '2.3', ended: true });
    const part = await search({ text: 'needle', limit: 2 });
    expect(part).toMatchObject({ cursor: '2.2', ended: false });
    const rest = await search({ text: 'needle', after: part.cursor });
    expect(rest.lines.map((line) => line.text)).toEqual(['needles']);
    expect((await search({ text: '(again)' })).lines).toHaveLength(1);
    expect(await search({ text: 'straw' })).toMatchObject({ lines: [], ended: true });
    await worker.finish(second, { lastSeq: 3 });
  });

  it('is searched as well once it is packed: quotes, colours, and over its blocks', async () => {
    const worker = await world.worker('w-packed');
    const job = await world.submit();
    const held = await worker.take();
    const lines = Array.from({ length: 30_000 }, (_, i) => `line ${i + 1}`);
    lines[2500] = 'it said "so\\n" once';
    lines[9000] = 'a \x1b[31mre\x1b[0mdish line';
    for (let from = 0; from < lines.length; from += 5000)
      await worker.log(held, from + 1, lines.slice(from, from + 5000));
    await worker.finish(held, { lastSeq: lines.length });
    expect(await compactLogs(world.api.deps)).toBeGreaterThan(0);
    const search = async (text: string) => {
      const found: number[] = [];
      for (let [after, ended] = ['0.0', false]; !ended; ) {
        const answer = await world.lab.call(logRoutes.search, { ...at(job), query: { text, after } });
        found.push(...answer.lines.map(({ seq }) => seq));
        ({ cursor: after, ended } = answer);
      }
      return found;
    };
    expect(await search('SAID "SO\\N"')).toEqual([2501]);
    expect(await search('reDISH')).toEqual([9001]);
    expect(await search('line 2999')).toEqual([2999, ...Array.from({ length: 10 }, (_, i) => 29_990 + i)]);
    expect(await search('straw')).toEqual([]);
    const { place } = await world.lab.call(logRoutes.at, { ...at(job), query: { time: 0 } });
    expect(place).toEqual({ attempt: 1, seq: 1 });
  });

  it('is entered at a time: at the first line printed then or after it, over all attempts', async () => {
    const worker = await world.worker('w-time');
    const job = await world.submit();
    const found = async (time: number) =>
      (await world.lab.call(logRoutes.at, { ...at(job), query: { time } })).place;
    expect(await found(0)).toBeNull();
    const first = await worker.take();
    for (let seq = 1; seq <= 5; seq++) await worker.log(first, seq, [`${seq}`], { time: 1000 + 10 * seq });
    await worker.finish(first, { reason: 'worker_error', exitCode: null, lastSeq: 5 });
    const second = await worker.take();
    await worker.log(second, 1, ['a', 'b'], { time: 2000 });
    expect(await found(0)).toEqual({ attempt: 1, seq: 1 });
    expect(await found(1030)).toEqual({ attempt: 1, seq: 3 });
    expect(await found(1031)).toEqual({ attempt: 1, seq: 4 });
    expect(await found(1051)).toEqual({ attempt: 2, seq: 1 });
    expect(await found(3000)).toEqual({ attempt: 2, seq: 2 });
    await worker.finish(second, { lastSeq: 2 });
  });
});
