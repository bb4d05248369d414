import type { Job } from '@mycloud/shared/browser';

const quote = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;

/** What a person types, in a folder with the same code, to run it again. */
export function runAgain(job: Job): string {
  const words = ['mycloud', 'run'];
  for (const mount of job.mounts) words.push('--data', quote(`${mount.source}:${mount.name}`));
  if (['gpu', 'gpu2', 'cpu2'].includes(job.machine)) words.push(`--${job.machine}`);
  if (job.environment !== 'default') words.push('--env', quote(job.environment));
  if (job.tensorboard) words.push('--tensorboard');
  if (job.maxRuntimeSeconds) words.push('--max-runtime', String(job.maxRuntimeSeconds));
  if (job.retries) words.push('--retries', String(job.retries));
  if (job.description) words.push('-m', quote(job.description));
  words.push(quote(job.command));
  return words.join(' ');
}
