import type { Job } from '@mycloud/shared/browser';

const most = 4;
/** One of so many jobs must have a metric for it to get a column. */
const oneOf = 20;
/** What a person looks for first. */
const favourites = ['val_acc', 'val_accuracy', 'acc', 'accuracy', 'val_loss', 'loss'];

const rank = (name: string): number => {
  const place = favourites.indexOf(name);
  return place < 0 ? favourites.length + (name.includes('/') ? 1 : 0) : place;
};

/** What a person looks for first stands first. */
export const byInterest = (a: string, b: string): number => rank(a) - rank(b) || (a < b ? -1 : 1);

/** The metrics that get a column by themselves: the favourites first, then what most of the jobs have. */
function usualMetrics(jobs: readonly Job[]): string[] {
  const counts = new Map<string, number>();
  let measured = 0;
  for (const job of jobs.slice(0, 500)) {
    const names = Object.keys(job.metrics);
    if (names.length > 0) measured += 1;
    for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts.keys()]
    .filter((name) => !name.includes('/') && counts.get(name)! * oneOf >= measured)
    .sort((a, b) => rank(a) - rank(b) || counts.get(b)! - counts.get(a)! || (a < b ? -1 : 1))
    .slice(0, most);
}

/** Columns beside status and job, in their order; those of metrics stand after the tags, as `metric:NAME`. */
const before = ['description', 'tags'] as const;
const after = ['environment', 'machine', 'worker', 'duration', 'made'] as const;
export type ColumnId = (typeof before)[number] | (typeof after)[number] | `metric:${string}`;
export const ownColumns: readonly ColumnId[] = [...before, ...after];

const titles: Record<string, string> = {
  description: 'Description',
  tags: 'Tags',
  environment: 'Environment',
  machine: 'Machine',
  worker: 'Worker',
  duration: 'Duration',
  made: 'Made',
};

export const metricOf = (column: ColumnId): string | undefined =>
  column.startsWith('metric:') ? column.slice('metric:'.length) : undefined;
export const titleOf = (column: ColumnId): string => metricOf(column) ?? titles[column] ?? column;
export const isSortable = (column: ColumnId): boolean =>
  column === 'made' || column === 'duration' || metricOf(column) !== undefined;

/** What is shown until a person chooses. */
export const usualColumns = (jobs: readonly Job[]): ColumnId[] => [
  ...usualMetrics(jobs).map((name): ColumnId => `metric:${name}`),
  'machine',
  'duration',
  'made',
];

/** Puts chosen columns into their order; what is no column is left out. */
export function ordered(columns: readonly string[]): ColumnId[] {
  const metrics = columns.filter((id): id is `metric:${string}` => /^metric:./s.test(id));
  return [
    ...before.filter((id) => columns.includes(id)),
    ...metrics.sort((a, b) => byInterest(metricOf(a) ?? '', metricOf(b) ?? '')),
    ...after.filter((id) => columns.includes(id)),
  ];
}

/** As it stands in the address: names of metrics may hold commas. */
export const writeColumns = (columns: readonly ColumnId[]): string =>
  columns.map(encodeURIComponent).join(',');

/** @returns undefined where nothing was chosen */
export function readColumns(text: string | null): ColumnId[] | undefined {
  if (!text) return undefined;
  const ids = text.split(',').map((id) => {
    try {
      return decodeURIComponent(id);
    } catch {
      // A stray % in an address typed by hand.
      return id;
    }
  });
  return ordered([...new Set(ids)]);
}
