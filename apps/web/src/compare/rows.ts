import { bestOf, betterWay, commandParts, type Job } from '@mycloud/shared/browser';
import { byInterest } from '../jobs/columns.js';
import { durationText, fullTime, valueText } from '../ui/format.js';

/** What one of the compared jobs has in a row. */
export interface Cell {
  text: string;
  /** Of a metric. */
  value?: number;
  /** Where it leads. */
  to?: string;
}

export interface Row {
  section: 'Command' | 'Inputs' | 'Settings' | 'What became of it' | 'Metrics';
  title: string;
  /** One a job, in order; undefined: it has none. */
  cells: (Cell | undefined)[];
  /** Of a metric: the cells that are best. */
  best?: number[];
}

/** Least and greatest value of each metric of a job, where they have been read. */
export type Extremes = ReadonlyMap<string, { min?: number | null; max?: number | null }>;

interface Asked {
  jobs: Job[];
  /** Of each job, in order. */
  extremes: (Extremes | undefined)[];
  /** Content hash of a code snapshot, by its id. */
  codeHash: (snapshotId: string) => string | undefined;
  now: number;
}

/** Everything two or more jobs can be told apart by. */
export function compareRows({ jobs, extremes, codeHash, now }: Asked): Row[] {
  const rows: Row[] = [];
  const add = (
    section: Row['section'],
    title: string,
    of: (job: Job, i: number) => Cell | string | undefined,
  ) =>
    rows.push({
      section,
      title,
      cells: jobs.map((job, i) => {
        const cell = of(job, i);
        return cell === '' || cell === undefined
          ? undefined
          : typeof cell === 'string'
            ? { text: cell }
            : cell;
      }),
    });

  const parts = jobs.map((job) => commandParts(job.command));
  add('Command', 'command', (_, i) => parts[i]?.program);
  for (const flag of union(parts.map((one) => [...one.flags.keys()])))
    add('Command', flag, (_, i) => parts[i]?.flags.get(flag));

  add('Inputs', 'code', ({ codeSnapshotId: id, name }) =>
    id === null ? undefined : { text: (codeHash(id) ?? id).slice(-10), to: `/${name}/files?tree=code` },
  );
  for (const mount of union(jobs.map((job) => job.mounts.map(({ name }) => name))))
    add('Inputs', `/${mount}`, (job) => {
      const source = job.mounts.find(({ name }) => name === mount)?.source;
      return source && { text: source, to: `/${source.replace(/\/output$/, '/files')}` };
    });

  add('Settings', 'environment', (job) => job.environment);
  add('Settings', 'machine', (job) => job.machine);
  for (const name of union(jobs.map((job) => job.envNames)))
    add('Settings', `$${name}`, (job) => (job.envNames.includes(name) ? 'set' : undefined));
  add('Settings', 'TensorBoard', (job) => (job.tensorboard ? 'asked for' : undefined));
  add('Settings', 'max runtime', ({ maxRuntimeSeconds: most }) =>
    most ? durationText(most * 1000) : undefined,
  );
  add('Settings', 'retries', (job) => (job.retries ? String(job.retries) : undefined));
  add('Settings', 'tags', (job) => job.tags.join(', '));
  add('Settings', 'description', (job) => job.description);
  add('Settings', 'note', (job) => job.note);

  add('What became of it', 'status', (job) => job.status.replace('_', ' '));
  add('What became of it', 'why', (job) =>
    job.status === 'succeeded' ? undefined : (job.message ?? undefined),
  );
  add('What became of it', 'duration', (job) => ranFor(job, now));
  add('What became of it', 'worker', (job) => job.worker ?? undefined);
  add('What became of it', 'attempts', (job) => (job.attempt > 1 ? String(job.attempt) : undefined));
  add('What became of it', 'made', (job) => fullTime(job.createdAt));

  for (const metric of union(jobs.map((job) => Object.keys(job.metrics))).sort(byInterest)) {
    const way = betterWay(metric);
    const values = (title: string, of: (job: Job, i: number) => number | null | undefined) => {
      const numbers = jobs.map((job, i) => of(job, i) ?? undefined);
      const cells = numbers.map((value) =>
        value === undefined ? undefined : { text: valueText(value), value },
      );
      rows.push({ section: 'Metrics', title, cells, best: way && bestOf(numbers, way) });
    };
    values(way ? `${metric}, last` : metric, (job) => job.metrics[metric]);
    if (way) {
      const side = way === 'low' ? 'min' : 'max';
      values(`${metric}, ${way}est`, (_, i) => extremes[i]?.get(metric)?.[side]);
    }
  }
  return rows;
}

/** Whether the jobs are not all the same in it. */
export const differs = (row: Row): boolean => new Set(row.cells.map((cell) => cell?.text)).size > 1;

/** In order of first appearance. */
const union = (lists: string[][]): string[] => [...new Set(lists.flat())];

function ranFor(job: Job, now: number): string | undefined {
  if (!job.startedAt) return undefined;
  return durationText((job.finishedAt ? Date.parse(job.finishedAt) : now) - Date.parse(job.startedAt));
}
