import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, betterWay, isEnd, type Job, jobRoutes, metricRoutes, nearest } from '@mycloud/shared';
import { openSession, type Session } from '../context.js';
import { ExitCode } from '../exit.js';
import { hint, print, printJson } from '../output.js';
import { sweepTag } from '../sweeps.js';
import { countText, durationText, paint, table } from '../text.js';
import { usage } from '../usage.js';

interface Options {
  metric?: string;
  by?: string;
  follow?: boolean;
  stop?: boolean;
  exitStatus?: boolean;
  json?: boolean;
}

/** What a project may be narrowed to; everything one may see where the folder has none. */
interface Where {
  owner?: string;
  project?: string;
}

/** A job of a sweep with its values and the metric they are compared by. */
interface Row {
  job: Job;
  values: Record<string, string>;
  best: number | null;
  last: number | null;
}

interface Result {
  sweep: string;
  metric: string | null;
  rows: Row[];
}

/** Shows the jobs of a sweep in the order of a metric, follows them or stops them; without a name shows which sweeps there are. */
export async function sweep(name: string | undefined, options: Options): Promise<void> {
  if (options.by !== undefined && options.by !== 'best' && options.by !== 'last')
    throw usage(`--by ${options.by}: write best or last`);
  const session = await openSession();
  const where: Where = (await session.folder()) ?? {};
  if (name === undefined) return listSweeps(session, where, options);
  const id = name.replace(new RegExp(`^${sweepTag}`), '');
  if (options.stop) return stopSweep(session, where, id, options);
  if (options.follow) return followSweep(session, where, id, options);
  const result = await read(session, where, id, options);
  if (options.json) return printJson(result);
  print(resultText(result));
  compareHint(session, result);
}

/** Shows it until all of its jobs have ended: redrawn in place on a terminal, elsewhere once at the end. */
export async function followSweep(
  session: Session,
  where: Where,
  id: string,
  options: Options,
): Promise<void> {
  const { stdout } = process;
  const live = stdout.isTTY && !options.json;
  const detach = new AbortController();
  const onInterrupt = () => detach.abort();
  process.once('SIGINT', onInterrupt);
  let drawn = 0;
  let result: Result;
  try {
    for (;;) {
      result = await read(session, where, id, options);
      if (live) {
        const text = resultText(result, stdout.rows - 1);
        stdout.write(`${drawn > 0 ? `\x1b[${drawn}A\x1b[J` : ''}${text}`);
        drawn = text.split('\n').length - 1;
      }
      if (detach.signal.aborted || result.rows.every(({ job }) => isEnd(job.status))) break;
      await sleep(1500, undefined, { signal: detach.signal }).catch(() => undefined);
    }
  } finally {
    process.removeListener('SIGINT', onInterrupt);
  }
  if (options.json) printJson(result);
  else if (!live) print(resultText(result));
  if (detach.signal.aborted) {
    hint(`\nDetached; the jobs go on.\n  mycloud sweep ${id} -f\n  mycloud sweep ${id} --stop`);
    throw new ExitCode(130);
  }
  if (!options.json) compareHint(session, result);
  if (options.exitStatus && result.rows.some(({ job }) => job.status !== 'succeeded')) throw new ExitCode(1);
}

async function stopSweep(session: Session, where: Where, id: string, { json }: Options): Promise<void> {
  const open = (await jobsOf(session, where, id)).filter((job) => !isEnd(job.status));
  const stopped: Job[] = [];
  // Those that wait before those that run, or each that ends lets the next begin.
  for (const job of open.reverse()) stopped.push(await session.client.call(jobRoutes.stop, { params: job }));
  if (json) return printJson({ sweep: id, stopped });
  print(
    stopped.length === 0
      ? 'All of its jobs have ended.'
      : `${countText(stopped.length, 'job')} of it are being stopped; their output is kept.`,
  );
}

async function listSweeps(session: Session, where: Where, { json }: Options): Promise<void> {
  const { items } = await session.client.call(jobRoutes.list, {
    query: { ...where, text: sweepTag, limit: 500 },
  });
  const sweeps = new Map<string, Job[]>();
  for (const job of items)
    for (const tag of job.tags.filter((one) => one.startsWith(sweepTag))) {
      const id = tag.slice(sweepTag.length);
      sweeps.set(id, [...(sweeps.get(id) ?? []), job]);
    }
  const rows = [...sweeps].map(([id, jobs]) => ({
    sweep: id,
    project: `${jobs[0]!.owner}/projects/${jobs[0]!.project}`,
    jobs: jobs.length,
    ended: jobs.filter((job) => isEnd(job.status)).length,
    of: [...new Set(jobs.flatMap((job) => Object.keys(valuesOf(job))))],
  }));
  if (json) return printJson({ items: rows });
  if (rows.length === 0)
    return print('No sweeps yet. Begin with: mycloud run --sweep lr=0.001,0.0003 "train --lr {lr}"');
  print(
    table(
      ['SWEEP', 'PROJECT', 'JOBS', 'ENDED', 'OF'],
      rows.map((row) => [row.sweep, row.project, String(row.jobs), String(row.ended), row.of.join(', ')]),
    ),
  );
}

/** In the order they were submitted. @throws AppError not_found */
async function jobsOf(session: Session, where: Where, id: string): Promise<Job[]> {
  const jobs: Job[] = [];
  for (let cursor: string | undefined; ; ) {
    const query = { ...where, tag: `${sweepTag}${id}`, limit: 500, cursor };
    const page = await session.client.call(jobRoutes.list, { query });
    jobs.push(...page.items);
    if (!page.nextCursor) break;
    cursor = page.nextCursor;
  }
  if (jobs.length > 0) return jobs.sort((a, b) => a.number - b.number);
  const { items } = await session.client.call(jobRoutes.list, {
    query: { ...where, text: sweepTag, limit: 500 },
  });
  const there = items.flatMap(({ tags }) => tags.filter((tag) => tag.startsWith(sweepTag)));
  const near = nearest(
    id,
    [...new Set(there)].map((tag) => tag.slice(sweepTag.length)),
  );
  throw new AppError(
    'not_found',
    `there is no sweep ${id}${where.project ? ` in ${where.owner}/projects/${where.project}` : ''}`,
    {
      hint: near.length > 0 ? `Did you mean ${near.join(' or ')}?` : 'See `mycloud sweep`.',
    },
  );
}

const valuesOf = ({ tags }: Job): Record<string, string> =>
  Object.fromEntries(
    tags.flatMap((tag) => {
      const [, name, value] = /^([A-Za-z_]\w*)=(.+)$/.exec(tag) ?? [];
      return name !== undefined && value !== undefined ? [[name, value]] : [];
    }),
  );

async function read(session: Session, where: Where, id: string, options: Options): Promise<Result> {
  const jobs = await jobsOf(session, where, id);
  const names = [...new Set(jobs.flatMap((job) => Object.keys(job.metrics)))];
  const metric = options.metric ?? usual.find((name) => names.includes(name)) ?? names[0] ?? null;
  if (options.metric && names.length > 0 && !names.includes(options.metric)) {
    const near = nearest(options.metric, names);
    throw new AppError('not_found', `none of these jobs has the metric ${options.metric}`, {
      hint: near.length > 0 ? `Did you mean ${near.join(' or ')}?` : `There are: ${names.join(', ')}.`,
    });
  }
  const low = metric !== null && betterWay(metric) === 'low';
  const rows: Row[] = [];
  for (let from = 0; from < jobs.length; from += 8) {
    const some = jobs.slice(from, from + 8).map(async (job): Promise<Row> => {
      const last = metric === null ? null : (job.metrics[metric] ?? null);
      const best = last === null || metric === null ? null : await bestOf(session, job, metric, low);
      return { job, values: valuesOf(job), best, last };
    });
    rows.push(...(await Promise.all(some)));
  }
  const worst = low ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  const key = (row: Row): number => (options.by === 'last' ? row.last : row.best) ?? worst;
  rows.sort((a, b) =>
    key(a) === key(b) ? a.job.number - b.job.number : low ? key(a) - key(b) : key(b) - key(a),
  );
  return { sweep: id, metric, rows };
}

/** What most people look at, of those that a job has. */
const usual = ['val_acc', 'val_accuracy', 'val_loss', 'acc', 'accuracy', 'loss'];

async function bestOf(session: Session, job: Job, metric: string, low: boolean): Promise<number | null> {
  const { items } = await session.client.call(metricRoutes.list, {
    params: job,
    query: { extremes: 'true' },
  });
  const found = items.find(({ name }) => name === metric);
  return (low ? found?.min : found?.max) ?? null;
}

const number = (value: number | null): string => (value === null ? '' : String(Number(value.toPrecision(5))));

/** @param rows of the terminal, at most; the rest is counted */
function resultText({ metric, rows }: Result, most = Number.POSITIVE_INFINITY): string {
  const c = paint(process.stdout);
  const names = [...new Set(rows.flatMap(({ values }) => Object.keys(values)))];
  const header = ['JOB', 'STATUS', 'TIME', ...names, ...(metric === null ? [] : [`BEST ${metric}`, 'LAST'])];
  const shown = rows.slice(0, Math.max(1, Math.min(rows.length, most - 3)));
  const colour = (status: Job['status']): string =>
    status === 'succeeded'
      ? c.green(status)
      : status === 'failed' || status === 'timed_out'
        ? c.red(status)
        : status;
  const cells = shown.map(({ job, values, best, last }) => [
    String(job.number),
    colour(job.status),
    job.startedAt
      ? durationText((job.finishedAt ? Date.parse(job.finishedAt) : Date.now()) - Date.parse(job.startedAt))
      : '',
    ...names.map((name) => values[name] ?? ''),
    ...(metric === null ? [] : [number(best), number(last)]),
  ]);
  const ended = rows.filter(({ job }) => isEnd(job.status)).length;
  const left = rows.length - shown.length;
  const count = `${ended} of ${countText(rows.length, 'job')} ended${left > 0 ? `; ${left} more are not shown` : ''}`;
  return `${table(header, cells)}${c.dim(count)}\n`;
}

function compareHint(session: Session, { rows }: Result): void {
  const best = rows.slice(0, 4).map(({ job }) => job.name);
  if (best.length > 1) hint(`\nCompare: ${session.client.url}/compare?jobs=${best.join(',')}`);
}
