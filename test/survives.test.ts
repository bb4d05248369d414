import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import {
  type Client,
  type Job,
  jobRoutes,
  type LogLine,
  logRoutes,
  projectRoutes,
  type RouteOutput,
} from '@mycloud/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { carrying, descendants, killAll } from './support/processes.js';
import { eventually, startServer, type TestServer } from './support/server.js';

let server: TestServer;
let client: Client;
let owner: string;

beforeAll(async () => {
  server = await startServer({ env: { MYCLOUD_LEASE_SECONDS: '6', MYCLOUD_SWEEP_SECONDS: '1' } });
  client = await server.client();
  owner = (await client.call(projectRoutes.create, { body: { name: 'faults' } })).owner;
});
afterAll(() => server?.remove());

/** Prints numbered lines for `seconds`, then writes a file to the output. */
const counting = (seconds: number) =>
  `i=0; while [ $i -lt ${seconds * 10} ]; do i=$((i+1)); echo "line $i"; sleep 0.1; done; echo done > "$MYCLOUD_OUTPUT/result.txt"`;

const submit = (command: string) =>
  client.call(jobRoutes.create, { params: { owner, project: 'faults' }, body: { command } });
const params = (job: Job) => ({ owner, project: 'faults', number: job.number });
const look = (job: Job) => client.call(jobRoutes.get, { params: params(job) });
const ended = (job: Job) =>
  eventually(
    `${job.name} ends`,
    async () => {
      const now = await look(job).catch(() => undefined);
      return now?.finishedAt ? now : undefined;
    },
    90,
  );

async function allLines(job: Job): Promise<LogLine[]> {
  const lines: LogLine[] = [];
  let after: string | undefined = '0.0';
  for (;;) {
    const page: RouteOutput<typeof logRoutes.range> = await client.call(logRoutes.range, {
      params: params(job),
      query: { after, limit: 1000 },
    });
    lines.push(...page.lines);
    if (page.lines.length === 0) return lines;
    after = page.cursor;
  }
}

const printed = (lines: LogLine[]) => lines.filter((line) => line.source === 'job').map((line) => line.text);
const lineReached = (job: Job, n: number) =>
  eventually(`${job.name} prints line ${n}`, async () => printed(await allLines(job)).includes(`line ${n}`));

/** One execution, ended well, its lines 1…n with no gap and no repeat, its output kept. */
async function expectUnharmed(job: Job, count: number): Promise<void> {
  const end = await ended(job);
  expect(end).toMatchObject({ status: 'succeeded', attempt: 1, exitCode: 0 });
  const lines = await allLines(job);
  expect(lines.map((line) => line.seq)).toEqual(lines.map((_, i) => i + 1));
  expect(printed(lines)).toEqual(Array.from({ length: count }, (_, i) => `line ${i + 1}`));
  const folder = path.join(server.folder, `out-${job.number}`);
  await mkdir(folder);
  const { code, stderr } = await server.cli(['output', job.name, '-o', folder]);
  expect(stderr + code).toMatch(/0$/);
  expect(await readFile(path.join(folder, 'result.txt'), 'utf8')).toBe('done\n');
}

function kill(matching: RegExp): void {
  const pids = descendants(server.pid, matching);
  expect(pids.length).toBeGreaterThan(0);
  for (const pid of pids) process.kill(pid, 'SIGKILL');
}

describe('a running job goes on', () => {
  it('when the worker is killed, and is adopted by the next; a follower sees no difference', async () => {
    const job = await submit(counting(6));
    await lineReached(job, 5);
    const follower = server.start(['logs', '-f', job.name]);
    let text = '';
    follower.stdout?.on('data', (bytes) => (text += bytes));
    kill(/worker\/dist\/main\.js/);
    await expectUnharmed(job, 60);
    await eventually('the follower ends by itself', async () => follower.exitCode !== null);
    expect(text.match(/^.*line \d+$/gm)?.map((line) => Number(line.split(' ').at(-1)))).toEqual(
      Array.from({ length: 60 }, (_, i) => i + 1),
    );
  });

  it('when the api is killed', async () => {
    const job = await submit(counting(5));
    await lineReached(job, 5);
    kill(/api\/dist\/main\.js/);
    await expectUnharmed(job, 50);
  });

  it('when Postgres is killed', async () => {
    const job = await submit(counting(5));
    await lineReached(job, 5);
    kill(/bin\/postgres -D|bin\/postgres .*-D|postgres -D/);
    await expectUnharmed(job, 50);
  });

  it('when the whole server is stopped and started again', async () => {
    const job = await submit(counting(8));
    await lineReached(job, 5);
    await server.stop();
    await server.restart();
    await expectUnharmed(job, 80);
  });
});

it('is tried again, with what it had written, when its processes vanish with the worker', async () => {
  const job = await submit(
    'echo "attempt $MYCLOUD_ATTEMPT"; [ "$MYCLOUD_ATTEMPT" = 2 ] && exec cat "$MYCLOUD_OUTPUT/first"; echo kept > "$MYCLOUD_OUTPUT/first"; echo written; sleep 600',
  );
  await eventually('the first attempt writes', async () => printed(await allLines(job)).includes('written'));
  const pids = carrying(`MYCLOUD_JOB=${job.name}\0`);
  expect(pids.length).toBeGreaterThan(0);
  kill(/worker\/dist\/main\.js/);
  killAll(pids);
  expect(await ended(job)).toMatchObject({ status: 'succeeded', attempt: 2 });
  expect(printed(await allLines(job))).toEqual(['attempt 1', 'written', 'attempt 2', 'kept']);
});
