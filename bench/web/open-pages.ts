import { setMaxListeners } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, type Job, readEvents, sessionRoutes } from '@mycloud/shared';
import { descendants } from '../../test/support/processes.js';
import type { TestServer } from '../../test/support/server.js';

const pages = 50;
const measuredSeconds = 20;
/** A page reads a job's points at most so often. */
const restMs = 700;
/** Linux counts a process's time in hundredths of a second. */
const ticksPerSecond = 100;

/**
 * What the api does for 50 pages that are open on a job that runs: each follows the stream of jobs by a session's cookie, and at
 * word of new points asks for the job's series anew, one round after the other, as apps/web/src/api/live.tsx does.
 * @returns percent of one core
 */
export async function openPagesCpu(
  server: TestServer,
  client: Client,
  job: Job,
  series: readonly string[],
): Promise<number> {
  const leaving = new AbortController();
  // Every request listens to it.
  setMaxListeners(0, leaving.signal);
  const open = await Promise.all(
    Array.from({ length: pages }, () => openPage(server.url, client, job, series, leaving.signal)),
  );
  const [api] = descendants(server.pid, /apps\/api\/dist\/main\.js/);
  if (!api) throw new Error('there is no process of the api');
  // Whoever is new has read everything once.
  await sleep(3000);
  const before = cpuSeconds(api);
  const rounds = open.reduce((sum, page) => sum + page.rounds(), 0);
  const from = performance.now();
  await sleep(measuredSeconds * 1000);
  const seconds = (performance.now() - from) / 1000;
  const used = cpuSeconds(api) - before;
  const each = (open.reduce((sum, page) => sum + page.rounds(), 0) - rounds) / pages / seconds;
  leaving.abort();
  await Promise.all(open.map((page) => page.done));
  if (each < 0.2) throw new Error(`a page read its job’s points only ${each.toFixed(2)} times a second`);
  return (100 * used) / seconds;
}

function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
}

async function openPage(
  url: string,
  client: Client,
  job: Job,
  series: readonly string[],
  signal: AbortSignal,
) {
  const { path } = await client.call(sessionRoutes.createLink, {});
  const entered = await fetch(url + path, { redirect: 'manual' });
  const headers = { cookie: entered.headers.getSetCookie()[0]!.split(';')[0]! };
  const get = async (of: string) => {
    const response = await fetch(url + of, { headers, signal });
    if (!response.ok) throw new Error(`${of} answered ${response.status}`);
    return response;
  };
  const base = `/v1/projects/${job.owner}/${job.project}/jobs/${job.number}`;
  let rounds = 0;
  const refresh = async () => {
    const asked = series.map((name) => `${base}/metrics/buckets?name=${name}&axis=step&buckets=400`);
    await Promise.all([`${base}/metrics`, ...asked].map(async (of) => (await get(of)).json()));
    rounds += 1;
  };
  const stream = await get('/v1/jobs/stream');
  await refresh();
  const unlessLeft = (error: unknown) => {
    if (!signal.aborted) throw error;
  };
  let busy: Promise<void> | undefined;
  let again = false;
  const heard = () => {
    again = true;
    busy ??= (async () => {
      while (again) {
        again = false;
        await Promise.all([refresh(), sleep(restMs)]);
      }
      busy = undefined;
    })().catch(unlessLeft);
  };
  const follow = async () => {
    for await (const { event, data } of readEvents(stream)) {
      if (event === 'metrics' && (JSON.parse(data) as { names: string[] }).names.includes(job.name)) heard();
    }
  };
  const done = follow()
    .catch(unlessLeft)
    .then(() => busy);
  return { rounds: () => rounds, done };
}
