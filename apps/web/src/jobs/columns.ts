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

/** The metrics that get a column: the favourites first, then what most of the jobs have. */
export function metricColumns(jobs: readonly Job[]): string[] {
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
