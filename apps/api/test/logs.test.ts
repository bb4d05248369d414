import { type Job, logRoutes } from '@mycloud/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compactLogs, expireLogs } from '../src/logs/compact.js';
import { refused } from './support/refused.js';
import { at, type Follower, follow, startWorld, type TestWorker, type World } from './support/world.js';

let world: World;
let worker: TestWorker;
beforeAll(async () => {
  world = await startWorld();
  worker = await world.worker('w-logs');
});
afterAll(() => world.close());

async function running() {
  const job = await world.submit();
  const held = await worker.take();
  await worker.status(held, 'running');
  return { job, held };
}

const texts = (count: number, from = 1): string[] =>
  Array.from({ length: count }, (_, i) => `line ${from + i}`);
const range = (job: Job, query: { after?: string; tail?: number; limit?: number } = {}) =>
  world.lab.call(logRoutes.range, { ...at(job), query });

/** holds for every follower: numbers from `first` on, no gap, no repeat, each with its own text */
function expectWhole(lines: Follower['lines'], first: number, last: number): void {
  expect(lines.map((line) => line.seq)).toEqual(
    Array.from({ length: last - first + 1 }, (_, i) => first + i),
  );
  for (const line of lines) expect(line.text).toBe(`line ${line.seq}`);
}

describe('appending', () => {
  it('stores a batch once, the new tail of an overlapping one, and refuses a gap', async () => {
    const { job, held } = await running();
    expect(await worker.log(held, 1, texts(3))).toBe(3);
    expect(await worker.log(held, 1, texts(3))).toBe(3);
    expect(await worker.log(held, 2, texts(4, 2))).toBe(5);
    const gap = await refused(worker.log(held, 7, texts(1, 7)));
    expect(gap).toMatchObject({ code: 'log_gap', details: { expected: 6 } });
    expect(await worker.log(held, 6, [])).toBe(5);
    const { lines, cursor, ended } = await range(job);
    expectWhole(lines, 1, 5);
    expect([cursor, ended]).toEqual(['1.5', false]);
    const early = await refused(worker.finish(held, { lastSeq: 6 }));
    expect(early).toMatchObject({ code: 'log_gap', details: { expected: 6 } });
    await worker.finish(held, { lastSeq: 5 });
    expect((await range(job)).ended).toBe(true);
  });

  it.each([
    // Both ways of ending an attempt: at once, and step by step, since it may be tried again.
    { reason: 'exit_zero', exitCode: 0 } as const,
    { reason: 'exit_nonzero', exitCode: 1 } as const,
  ])(
    'stores lines that come with the end $reason, once, and ends nothing before those that are missing',
    async (end) => {
      const { job, held } = await running();
      const last = (from: number, to: number) => ({
        ...end,
        firstSeq: from,
        lastSeq: to,
        lines: texts(to - from + 1, from).map((text) => ({
          text,
          time: 1_700_000_000_000,
          source: 'job' as const,
        })),
      });
      const gap = await refused(worker.finish(held, last(3, 4)));
      expect(gap).toMatchObject({ code: 'log_gap', details: { expected: 1 } });
      expect((await world.get(job)).status).toBe('running');
      await worker.log(held, 1, texts(3));
      const follower = await follow(world.lab, job);
      // Of a batch whose answer was lost two lines are stored already.
      await worker.finish(held, last(2, 5));
      await worker.finish(held, last(2, 5));
      expectWhole((await range(job)).lines, 1, 5);
      expect(await range(job)).toMatchObject({ ended: true, cursor: '1.5' });
      await follower.done;
      expectWhole(follower.lines, 1, 5);
    },
  );

  it('stores an end whose lines go on where they ended, and another’s lines no more than another’s end', async () => {
    const { job, held } = await running();
    await worker.log(held, 1, texts(2));
    const lines = texts(2, 3).map((text) => ({ text, time: 1_700_000_000_000, source: 'job' as const }));
    const end = { firstSeq: 3, lastSeq: 4, lines };
    const stale = await refused(worker.finish({ ...held, fence: held.fence + 1 }, end));
    expect(stale.code).toBe('stale_fence');
    expect((await range(job)).lines).toHaveLength(2);
    await worker.finish(held, end);
    expectWhole((await range(job)).lines, 1, 4);
    expect((await world.get(job)).status).toBe('succeeded');
  });

  it('keeps the batches of two senders of the same lines apart: one order, no repeat', async () => {
    const { job, held } = await running();
    await Promise.all([1, 2, 3].map(() => worker.log(held, 1, texts(50))));
    expectWhole((await range(job)).lines, 1, 50);
    await worker.finish(held, { lastSeq: 50 });
  });

  it('stores what Postgres has no place for as U+FFFD', async () => {
    const { job, held } = await running();
    await worker.log(held, 1, ['a\0b', 'half \ud83d', 'whole 😀', '\u001b[31mred']);
    const { lines } = await range(job);
    expect(lines.map((l) => l.text)).toEqual(['a\ufffdb', 'half \ufffd', 'whole 😀', '\u001b[31mred']);
    await worker.finish(held);
  });
});

describe('reading', () => {
  it('goes by cursor, tail and limit, and over attempts in their order', async () => {
    const { job, held } = await running();
    await worker.log(held, 1, texts(10));
    await worker.finish(held, { reason: 'worker_error', exitCode: null, lastSeq: 10 });
    const second = await worker.take();
    await worker.log(second, 1, texts(5));
    const places = async (query: Parameters<typeof range>[1]) =>
      (await range(job, query)).lines.map((line) => `${line.attempt}.${line.seq}`);
    expect(await places({ after: '1.8' })).toEqual(['1.9', '1.10', '2.1', '2.2', '2.3', '2.4', '2.5']);
    expect(await places({ tail: 7 })).toEqual(['1.9', '1.10', '2.1', '2.2', '2.3', '2.4', '2.5']);
    expect(await places({ tail: 0 })).toEqual([]);
    expect(await places({ after: '2.1', limit: 2 })).toEqual(['2.2', '2.3']);
    expect(await places({ after: '2.5' })).toEqual([]);
    await worker.finish(second, { lastSeq: 5 });
    // Compacted or not, attempt by attempt, the answer is the same.
    await compactLogs(world.api.deps);
    expect(await places({ after: '1.8' })).toEqual(['1.9', '1.10', '2.1', '2.2', '2.3', '2.4', '2.5']);
  });

  it('gives the last attempt as text, split lines joined', async () => {
    const { job, held } = await running();
    await worker.log(held, 1, ['one ', 'and '], { more: true });
    await worker.log(held, 3, ['two', 'three']);
    const response = await world.lab.open(logRoutes.text, at(job));
    expect(await response.text()).toBe('one and two\nthree\n');
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    await worker.finish(held, { lastSeq: 4 });
  });
});

describe('compaction', () => {
  it('keeps every line, in blocks of the store’s object, and deletes it after its time', async () => {
    const { job, held } = await running();
    for (let from = 1; from <= 9000; from += 1500) await worker.log(held, from, texts(1500, from));
    await worker.finish(held, { lastSeq: 9000 });
    const { pool } = world.api.deps;
    expect(await compactLogs(world.api.deps)).toBeGreaterThan(0);
    expect((await pool.query('SELECT 1 FROM "LogBatch" WHERE "jobId" = $1', [job.id])).rowCount).toBe(0);
    const all = [];
    for (let after = '0.0'; ; ) {
      const page = await range(job, { after, limit: 1234 });
      all.push(...page.lines);
      after = page.cursor;
      if (page.ended) break;
    }
    expectWhole(all, 1, 9000);
    expectWhole((await range(job, { after: '1.3999', limit: 3 })).lines, 4000, 4002);
    expectWhole((await range(job, { tail: 2 })).lines, 8999, 9000);
    const followed = await follow(world.lab, job, { after: '1.8000' });
    await followed.done;
    expectWhole(followed.lines, 8001, 9000);

    await pool.query(`UPDATE "Attempt" SET "endedAt" = now() - interval '91 days' WHERE "jobId" = $1`, [
      job.id,
    ]);
    expect(await expireLogs(world.api.deps, 90)).toBe(1);
    expect(await range(job)).toMatchObject({ lines: [], ended: true });
    const late = await follow(world.lab, job);
    await late.done;
    expect(late.events.at(-1)?.event).toBe('end');
  });
});

describe('following', () => {
  it('shows stored lines, then live ones, then the end', async () => {
    const { job, held } = await running();
    await worker.log(held, 1, texts(3));
    const follower = await follow(world.lab, job);
    await world.until('it has what is stored', async () => (follower.lines.length === 3 ? true : undefined));
    await worker.log(held, 4, texts(2, 4));
    await worker.progress(held, 6, ' 50%');
    await world.until('the progress bar', async () => follower.events.find((e) => e.event === 'progress'));
    await worker.status(held, 'saving');
    await worker.finish(held, { lastSeq: 5 });
    await follower.done;
    expectWhole(follower.lines, 1, 5);
    const of = (event: string) => follower.events.filter((e) => e.event === event);
    expect(of('progress')[0]?.data).toEqual({ text: ' 50%' });
    expect(of('job').map((e) => (e.data as Job).status)).toEqual(
      expect.arrayContaining(['running', 'succeeded']),
    );
    expect(of('end')).toHaveLength(1);
    expect(of('lines').at(-1)?.id).toBe('1.5');
  });

  it('misses nothing and repeats nothing, however often a follower breaks off', async () => {
    const { job, held } = await running();
    const total = 6000;
    const writing = (async () => {
      for (let from = 1; from <= total; from += 60) await worker.log(held, from, texts(60, from));
      await worker.finish(held, { lastSeq: total });
    })();
    const lines: Follower['lines'] = [];
    let lastEventId: string | undefined;
    for (let part = 1; ; part++) {
      // ?after= is what the reconnecting client still has in its address; Last-Event-ID knows better.
      const follower = await follow(world.lab, job, { after: '0.0', lastEventId });
      const enough = world.until('some lines came', async () =>
        follower.lines.length >= 400 * part ? true : undefined,
      );
      await Promise.race([enough, follower.done]);
      follower.detach();
      await follower.done;
      lines.push(...follower.lines);
      lastEventId = follower.events.filter((e) => e.id !== undefined).at(-1)?.id ?? lastEventId;
      if (follower.events.some((e) => e.event === 'end')) break;
    }
    await writing;
    expectWhole(lines, 1, total);
  });

  it('serves many followers of one job the same whole log, while it is compacted', async () => {
    const { job, held } = await running();
    const followers = await Promise.all(Array.from({ length: 20 }, () => follow(world.lab, job)));
    for (let from = 1; from <= 2000; from += 100) await worker.log(held, from, texts(100, from));
    await worker.finish(held, { lastSeq: 2000 });
    await compactLogs(world.api.deps);
    await Promise.all(followers.map((follower) => follower.done));
    for (const follower of followers) expectWhole(follower.lines, 1, 2000);
  });

  it('goes on within a batch that the feed holds for others', async () => {
    const { job, held } = await running();
    const early = await follow(world.lab, job);
    await worker.log(held, 1, texts(100));
    await world.until('the feed holds the batch', async () =>
      early.lines.length === 100 ? true : undefined,
    );
    const late = await follow(world.lab, job, { after: '1.37' });
    await world.until('the rest came', async () => (late.lines.length >= 63 ? true : undefined));
    await worker.finish(held, { lastSeq: 100 });
    await Promise.all([early.done, late.done]);
    expectWhole(late.lines, 38, 100);
    expectWhole(early.lines, 1, 100);
  });

  it('follows a job from its place in line over two attempts', async () => {
    const job = await world.submit();
    const follower = await follow(world.lab, job);
    const first = await worker.take();
    await worker.log(first, 1, texts(2));
    await worker.finish(first, { reason: 'worker_error', exitCode: null, lastSeq: 2 });
    const second = await worker.take();
    await worker.log(second, 1, texts(3));
    await worker.finish(second, { lastSeq: 3 });
    await follower.done;
    expect(follower.lines.map((l) => `${l.attempt}.${l.seq}`)).toEqual(['1.1', '1.2', '2.1', '2.2', '2.3']);
  });

  it('ends at once for an ended job, and is refused to strangers and for no cursor', async () => {
    const job = await world.submit();
    expect((await refused(follow(world.eve, job))).code).toBe('not_found');
    expect((await refused(follow(world.lab, job, { lastEventId: 'yesterday' }))).code).toBe('bad_request');
    const held = await worker.take();
    await worker.finish(held);
    const follower = await follow(world.lab, job);
    await follower.done;
    expect(follower.events.at(-1)?.event).toBe('end');
  });
});

describe('as the old floyd reads it, whole each second', () => {
  const read = async (job: Job): Promise<string> => {
    const headers = { authorization: `apikey ${world.labToken}` };
    const answer = await fetch(`${world.api.url}/api/v1/resources/${job.id}?content=true`, { headers });
    // Without the charset the client garbles it.
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    return answer.text();
  };

  it('only ever grows, over attempts and compaction, and has its mark at the end of all', async () => {
    const job = await world.submit({ retries: 1 });
    const seen = [await read(job)];
    const first = await worker.take();
    await worker.status(first, 'running');
    await worker.log(first, 1, ['ä 1', 'b']);
    seen.push(await read(job));
    await worker.log(first, 3, ['long and ', 'longer'], { more: true });
    seen.push(await read(job));
    await worker.finish(first, { reason: 'exit_nonzero', detail: '1', exitCode: 1, lastSeq: 4 });
    seen.push(await read(job));
    const second = await worker.take();
    await worker.status(second, 'running');
    await worker.log(second, 1, ['again']);
    seen.push(await read(job));
    await worker.finish(second, { reason: 'exit_nonzero', detail: '2', exitCode: 2, lastSeq: 1 });
    seen.push(await read(job));
    await compactLogs(world.api.deps);
    seen.push(await read(job));

    for (const [i, text] of seen.slice(1).entries()) expect(text.startsWith(seen[i]!)).toBe(true);
    for (const text of seen.slice(0, -2)) expect(text).not.toContain('[failed]');
    expect(seen.at(-1)).toBe(
      'ä 1\nb\nlong and longer\nagain\nthe command exited with 2\n[failed] Task execution failed\n',
    );
  });

  it('is all there however long it is', async () => {
    const { job, held } = await running();
    for (let from = 1; from <= 12_000; from += 3000) await worker.log(held, from, texts(3000, from));
    await worker.finish(held, { lastSeq: 12_000 });
    const lines = (await read(job)).trimEnd().split('\n');
    expect(lines.slice(0, 12_000)).toEqual(texts(12_000));
    expect(lines.slice(12_000)).toEqual(['finished', '[success] Finished execution']);
  });
});
