import { bestOf, betterWay, commandParts, type Job, secondsText } from '@mycloud/shared';
import { durationOf } from './job-text.js';

type Cell = string | number | null;

/** One thing that jobs can be told apart by. */
export interface CompareRow {
  section: 'command' | 'inputs' | 'settings' | 'end' | 'metrics';
  title: string;
  /** One a job, in order; null: it has none. */
  cells: Cell[];
  /** Of a metric: which cells are the best. */
  best?: number[];
}

/** Least and greatest value of each metric of a job. */
export type Extremes = ReadonlyMap<string, { min?: number | null; max?: number | null }>;

/** @param code hash of each job's code, null where it has none */
export function compareRows(
  jobs: readonly Job[],
  extremes: readonly Extremes[],
  code: readonly (string | null)[],
): CompareRow[] {
  const rows: CompareRow[] = [];
  const add = (
    section: CompareRow['section'],
    title: string,
    of: (job: Job, i: number) => Cell | undefined,
  ): void => {
    rows.push({ section, title, cells: jobs.map((job, i) => of(job, i) || null) });
  };
  const parts = jobs.map((job) => commandParts(job.command));
  add('command', 'command', (_, i) => parts[i]!.program);
  for (const flag of union(parts.map(({ flags }) => [...flags.keys()])))
    add('command', flag, (_, i) => parts[i]!.flags.get(flag));

  add('inputs', 'code', (_, i) => code[i]);
  for (const mount of union(jobs.map((job) => job.mounts.map(({ name }) => name))))
    add('inputs', `/${mount}`, (job) => job.mounts.find(({ name }) => name === mount)?.source);

  add('settings', 'environment', (job) => job.environment);
  add('settings', 'machine', (job) => job.machine);
  for (const name of union(jobs.map((job) => job.envNames)))
    add('settings', `$${name}`, (job) => (job.envNames.includes(name) && 'set') || null);
  add('settings', 'tensorboard', (job) => (job.tensorboard ? 'yes' : null));
  add('settings', 'max runtime', ({ maxRuntimeSeconds: most }) => most && secondsText(most));
  add('settings', 'retries', (job) => job.retries);
  add('settings', 'tags', (job) => job.tags.join(', '));
  add('settings', 'description', (job) => job.description);

  add('end', 'status', (job) => job.status);
  add('end', 'why', (job) => (job.status === 'succeeded' ? null : job.message));
  add('end', 'time', durationOf);
  add('end', 'worker', (job) => job.worker);
  add('end', 'attempts', (job) => (job.attempt > 1 ? job.attempt : null));

  for (const metric of union(jobs.map((job) => Object.keys(job.metrics))).sort())
    rows.push(...metricRows(metric, jobs, extremes));
  return rows;
}

/** The last value of each, and where the name tells which way is better, the best it ever was. */
function metricRows(metric: string, jobs: readonly Job[], extremes: readonly Extremes[]): CompareRow[] {
  const way = betterWay(metric);
  const row = (title: string, cells: (number | null)[]): CompareRow => ({
    section: 'metrics',
    title,
    cells,
    ...(way && {
      best: bestOf(
        cells.map((cell) => cell ?? undefined),
        way,
      ),
    }),
  });
  const last = row(
    way ? `${metric}, last` : metric,
    jobs.map((job) => job.metrics[metric] ?? null),
  );
  if (!way) return [last];
  const side = way === 'low' ? 'min' : 'max';
  return [
    last,
    row(
      `${metric}, best`,
      jobs.map((_, i) => extremes[i]?.get(metric)?.[side] ?? null),
    ),
  ];
}

/** Whether the jobs are not all the same in it. */
export const differs = ({ cells }: CompareRow): boolean => new Set(cells).size > 1;

/** In order of first appearance. */
const union = (lists: string[][]): string[] => [...new Set(lists.flat())];
