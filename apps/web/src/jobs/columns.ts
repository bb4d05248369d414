import type { Job } from '@mycloud/shared/browser';

const most = 4;
/** What a person looks for first. */
const favourites = ['val_acc', 'val_accuracy', 'acc', 'accuracy', 'val_loss', 'loss'];

const rank = (name: string): number => {
  const place = favourites.indexOf(name);
  return place < 0 ? favourites.length + (name.includes('/') ? 1 : 0) : place;
};

/** The metrics that get a column: the favourites first, then what most of the jobs have. */
export function metricColumns(jobs: readonly Job[]): string[] {
  const counts = new Map<string, number>();
  for (const job of jobs.slice(0, 500)) {
    for (const name of Object.keys(job.metrics)) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts.keys()]
    .filter((name) => !name.includes('/'))
    .sort((a, b) => rank(a) - rank(b) || counts.get(b)! - counts.get(a)! || (a < b ? -1 : 1))
    .slice(0, most);
}
