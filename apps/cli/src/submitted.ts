import { AppError, floydEnvironment, type Job } from '@mycloud/shared';
import type { Session } from './context.js';
import { hint, print, printJson } from './output.js';
import { openInBrowser, pageLink, showLink } from './page-link.js';
import { untilReady } from './ready.js';
import { table } from './text.js';

/** Says what stands for an environment of FloydHub that was asked for. */
export function tellEnvironment(asked: string | undefined, job: Job): void {
  const floyds = asked === job.environment ? undefined : floydEnvironment(asked ?? '');
  if (floyds) hint(floyds.note);
}

/** Says which job was made and where it is seen, and follows it where that is asked for. */
export async function showSubmitted(
  session: Session,
  job: Job,
  options: { env?: string; follow?: boolean; exitStatus?: boolean; open?: boolean; json?: boolean },
): Promise<void> {
  tellEnvironment(options.env, job);
  const opens = job.mode !== 'command';
  if (options.json) {
    if (!options.follow) printJson(opens ? { ...job, ...(await untilReady(session, job)) } : job);
  } else {
    print(
      table(
        ['JOB', 'MACHINE', 'ENVIRONMENT', 'STATUS'],
        [[job.name, job.machine, job.environment, job.status]],
      ),
    );
    for (const { source, name } of job.mounts) hint(`${source} is at /${name}`);
    hint(`See it: ${session.client.url}/${job.name}`);
    if (job.tensorboard) hint(`TensorBoard: ${session.client.url}/${job.name}/tensorboard`);
    if (!options.follow)
      hint(`\nTo see its log:\n  mycloud logs -f ${job.number}\nTo stop it:\n  mycloud stop ${job.number}`);
  }
  if (opens && !options.json) {
    // One that has ended is followed all the same: its log tells why.
    const ready = await untilReady(session, job).catch((error: unknown) => {
      if (options.follow && error instanceof AppError) return undefined;
      throw error;
    });
    if (ready) {
      print(ready.url);
      hint('Whoever has this link may use it for a day; it ends with the job.');
      if (options.open !== false) openInBrowser(ready.url);
    }
  } else if (options.open) await openPage(session, job);
  if (!options.follow) return;
  const { follow } = await import('./follow.js');
  const { owner, project, number } = job;
  await follow(session, { owner, project, number }, { json: options.json, exitStatus: options.exitStatus });
}

async function openPage(session: Session, job: Job): Promise<void> {
  const { url } = await pageLink(session.client, `/${job.name}`);
  showLink(url, true, hint);
}
