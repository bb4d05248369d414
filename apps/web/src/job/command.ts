import { type Job, type RestartJob, secondsText, shellWord } from '@mycloud/shared/browser';

/** Machines that have a flag of their own; any other is named. */
const machineFlags = ['cpu', 'cpu2', 'gpu', 'gpu2'];
const machineWords = (machine: string): string[] =>
  machineFlags.includes(machine) ? [`--${machine}`] : ['--machine', shellWord(machine)];
const mountWords = (mounts: readonly { source: string; name: string }[]): string[] =>
  mounts.flatMap(({ source, name }) => ['--data', shellWord(`${source}:${name}`)]);
const tagWords = (tags: readonly string[]): string[] => tags.flatMap((tag) => ['--tag', shellWord(tag)]);

/** What a person types, in a folder with the same code, to run it again. */
export function runAgain(job: Job): string {
  const words = ['mycloud', 'run', ...mountWords(job.mounts)];
  if (job.mode !== 'command') words.push('--mode', job.mode);
  if (job.mode === 'jupyter') words.push('--idle', job.idleSeconds ? secondsText(job.idleSeconds) : 'none');
  if (job.machine !== 'cpu') words.push(...machineWords(job.machine));
  if (job.environment !== 'default') words.push('--env', shellWord(job.environment));
  for (const name of job.envNames) words.push('--var', name);
  if (job.tensorboard) words.push('--tensorboard');
  if (job.maxRuntimeSeconds) words.push('--max-runtime', secondsText(job.maxRuntimeSeconds));
  else if (job.mode !== 'command') words.push('--max-runtime', 'none');
  if (job.retries) words.push('--retries', String(job.retries));
  words.push(...tagWords(job.tags));
  if (job.description) words.push('-m', shellWord(job.description));
  words.push(shellWord(job.command));
  return words.join(' ');
}

/** What a person types to run it again with the same code, changed so. Values of variables are taken from where it is typed. */
export function restartCommand(job: Job, change: RestartJob): string {
  const words = ['mycloud', 'restart', job.name];
  if (change.mounts) words.push(...(change.mounts.length > 0 ? mountWords(change.mounts) : ['--no-data']));
  if (change.machine) words.push(...machineWords(change.machine));
  if (change.environment) words.push('--env', shellWord(change.environment));
  for (const [name, value] of Object.entries(change.env ?? {}))
    words.push(value === null ? '--drop-var' : '--var', name);
  if (change.tensorboard !== undefined) words.push(change.tensorboard ? '--tensorboard' : '--no-tensorboard');
  if (change.maxRuntimeSeconds !== undefined)
    words.push(
      '--max-runtime',
      change.maxRuntimeSeconds === null ? 'none' : secondsText(change.maxRuntimeSeconds),
    );
  if (change.retries !== undefined) words.push('--retries', String(change.retries));
  if (change.tags) words.push(...(change.tags.length > 0 ? tagWords(change.tags) : ['--no-tags']));
  if (change.description !== undefined) words.push('-m', shellWord(change.description));
  if (change.command) words.push(shellWord(change.command));
  return words.join(' ');
}
