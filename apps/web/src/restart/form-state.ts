import { type Job, parseSeconds, type RestartJob, secondsText } from '@mycloud/shared/browser';

/** What stands in the fields. */
export interface Fields {
  command: string;
  description: string;
  tags: string;
  machine: string;
  environment: string;
  mounts: { source: string; name: string }[];
  maxRuntime: string;
  retries: string;
  tensorboard: boolean;
  /** The old job's own variables that the new one gets too. */
  kept: string[];
  variables: { name: string; value: string }[];
}

export const fieldsOf = (job: Job): Fields => ({
  command: job.command,
  description: job.description,
  tags: job.tags.join(' '),
  machine: job.machine,
  environment: job.environment,
  mounts: job.mounts.map(({ source, name }) => ({ source, name })),
  maxRuntime: job.maxRuntimeSeconds === null ? '' : secondsText(job.maxRuntimeSeconds),
  retries: String(job.retries),
  tensorboard: job.tensorboard,
  kept: job.envNames,
  variables: [],
});

/** What is otherwise than it was in `job`, and what of it makes no sense. */
export function changeOf(job: Job, fields: Fields): { change: RestartJob; wrong: string[] } {
  const wrong: string[] = [];
  const change: RestartJob = {};
  const seconds = fields.maxRuntime.trim() === '' ? null : parseSeconds(fields.maxRuntime);
  if (seconds === undefined) wrong.push('Write the max runtime as seconds, or as 90s, 30m, 2h, 1d.');
  if (!/^\d+$/.test(fields.retries.trim())) wrong.push('Write the retries as a whole number.');
  if (fields.command.trim() === '') wrong.push('Say what to run.');
  const now = {
    command: fields.command.trim(),
    description: fields.description,
    tags: [...new Set(fields.tags.split(/[\s,]+/).filter(Boolean))],
    machine: fields.machine,
    environment: fields.environment,
    mounts: fields.mounts
      .map(({ source, name }) => ({ source: source.trim(), name: name.trim().replace(/^\//, '') }))
      .filter(({ source }) => source !== ''),
    maxRuntimeSeconds: seconds,
    retries: Number(fields.retries),
    tensorboard: fields.tensorboard,
  };
  const before = { ...job, mounts: fieldsOf(job).mounts };
  for (const name of Object.keys(now) as (keyof typeof now)[]) {
    if (JSON.stringify(now[name]) !== JSON.stringify(before[name]))
      Object.assign(change, { [name]: now[name] });
  }
  if (now.mounts.some(({ name }) => name === '')) wrong.push('Say at which folder each source is mounted.');
  const env: Record<string, string | null> = {};
  for (const name of job.envNames) if (!fields.kept.includes(name)) env[name] = null;
  for (const { name, value } of fields.variables) {
    if (name === '') continue;
    if (!/^[A-Za-z_]\w*$/.test(name))
      wrong.push(`${name} is no name of a variable: letters, digits and _ make one.`);
    env[name] = value;
  }
  if (Object.keys(env).length > 0) change.env = env;
  return { change, wrong };
}
