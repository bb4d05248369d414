import { eventSchema, jobRoutes } from '@mycloud/shared';
import { openSession } from '../context.js';
import { durationOf, metricsText, statusText } from '../job-text.js';
import { print, printJson } from '../output.js';
import { linkOf } from '../ready.js';
import { paint } from '../text.js';

/** Everything about a job, with the steps of its life. */
export async function info(name: string | undefined, { json }: { json?: boolean }): Promise<void> {
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
    ['schedule', job.schedule],
    ['attempt', String(job.attempt)],
    ['time', durationOf(job)],
    ['metrics', metricsText(job)],
  ];
  const c = paint(process.stdout);
  for (const [key, value] of facts) if (value) print(`${c.dim(key.padEnd(12))} ${value}`);
  print('');
  for (const event of events) print(`${c.dim(event.time)}  ${event.message}`);
}
