import { eventSchema, type Job, jobRoutes } from '@mycloud/shared';
import { openSession, readFolder } from '../context.js';
import { print, printJson } from '../output.js';
import { linkOf } from '../ready.js';
import { durationText, paint, table } from '../text.js';

function statusText(job: Job): string {
  const c = paint(process.stdout);
  if (job.status === 'succeeded') return c.green(job.status);
  if (job.status === 'failed' || job.status === 'timed_out') return c.red(job.status);
  return job.status === 'running' ? c.cyan(job.status) : job.status;
}

function duration(job: Job): string {
  if (!job.startedAt) return '';
  return durationText((job.finishedAt ? Date.parse(job.finishedAt) : Date.now()) - Date.parse(job.startedAt));
}

const metricsText = (job: Job): string =>
  Object.entries(job.metrics)
    .slice(0, 4)
    .map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`)
    .join(', ');

/** The jobs of this folder's project, of everything where the folder has none, or one job. */
export async function status(name: string | undefined, options: { json?: boolean }): Promise<void> {
  const session = await openSession();
  if (name) return info(name, options);
  const folder = await readFolder();
  const page = await session.client.call(jobRoutes.list, { query: { ...folder, limit: 50 } });
  if (options.json) return printJson(page);
  if (page.items.length === 0) return print('No jobs yet. Begin with: mycloud run "COMMAND"');
  const rows = page.items.map((job) => [
    job.name,
    statusText(job),
    duration(job),
    job.machine,
    metricsText(job),
    job.description || job.message || '',
  ]);
  print(table(['JOB', 'STATUS', 'TIME', 'MACHINE', 'METRICS', ''], rows));
}

export async function info(name: string, { json }: { json?: boolean }): Promise<void> {
  const session = await openSession();
  const params = await session.jobRef(name);
  const job = await session.client.call(jobRoutes.get, { params });
  const { items } = await session.client.call(jobRoutes.events, { params });
  const events = eventSchema.array().parse(items);
  const link = await linkOf(session, job);
  if (json) return printJson({ ...job, ...(link && { link }), events });
  const facts: [string, string | null][] = [
    ['job', job.name],
    ['status', statusText(job)],
    ['why', job.message],
    ['mode', job.mode === 'command' ? null : job.mode],
    ['link', link ? `${link.url}${link.message ? ` (${link.message})` : ''}` : null],
    ['command', job.command],
    ['description', job.description],
    ['tags', job.tags.join(', ')],
    ['note', job.note],
    ['variables', job.envNames.join(', ')],
    ['machine', job.machine],
    ['environment', job.environment],
    ['mounts', job.mounts.map((mount) => `${mount.source} at /${mount.name}`).join(', ')],
    ['worker', job.worker],
    ['attempt', String(job.attempt)],
    ['time', duration(job)],
    ['metrics', metricsText(job)],
  ];
  const c = paint(process.stdout);
  for (const [key, value] of facts) if (value) print(`${c.dim(key.padEnd(12))} ${value}`);
  print('');
  for (const event of events) print(`${c.dim(event.time)}  ${event.message}`);
}
