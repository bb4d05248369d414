import { floydEnvironment, type Job } from '@mycloud/shared';
import type { Session } from './context.js';
import { hint, print, printJson } from './output.js';
import { pageLink, showLink } from './page-link.js';
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
  if (options.json) {
    if (!options.follow) printJson(job);
  } else {
    print(
      table(
        ['JOB', 'MACHINE', 'ENVIRONMENT', 'STATUS'],
        [[job.name, job.machine, job.environment, job.status]],
      ),
    );
    hint(`See it: ${session.client.url}/${job.name}`);
    if (job.tensorboard) hint(`TensorBoard: ${session.client.url}/${job.name}/tensorboard`);
    if (!options.follow)
      hint(`\nTo see its log:\n  mycloud logs -f ${job.number}\nTo stop it:\n  mycloud stop ${job.number}`);
  }
  if (options.open) await openPage(session, job);
  if (!options.follow) return;
  const { follow } = await import('./follow.js');
  const { owner, project, number } = job;
  await follow(session, { owner, project, number }, { json: options.json, exitStatus: options.exitStatus });
}

async function openPage(session: Session, job: Job): Promise<void> {
  const { url } = await pageLink(session.client, `/${job.name}`);
  showLink(url, true, hint);
}
