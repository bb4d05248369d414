import { jobName, jobRoutes } from '@mycloud/shared';
import { confirm } from '../confirm.js';
import { openSession } from '../context.js';
import { eachOrTold } from '../each-or-told.js';
import { print, printJson } from '../output.js';

export async function stop(name: string | undefined, { json }: { json?: boolean }): Promise<void> {
  const session = await openSession();
  const job = await session.client.call(jobRoutes.stop, { params: await session.jobRef(name) });
  if (json) printJson(job);
  else
    print(
      job.finishedAt
        ? `${job.name} has ended: ${job.message}`
        : `${job.name} is being stopped; its output is kept.`,
    );
}

/** Those that can't be deleted are named at the end, and the others are gone. */
export async function remove(
  names: string[],
  { yes, json }: { yes?: boolean; json?: boolean },
): Promise<void> {
  const session = await openSession();
  const refs = await Promise.all(names.map((name) => session.exactJobRef(name)));
  const shown = refs.map(jobName);
  await confirm(`Delete ${shown.join(', ')} with logs and output?`, yes);
  const deleted: string[] = [];
  await eachOrTold(refs, jobName, async (params) => {
    await session.client.call(jobRoutes.delete, { params });
    deleted.push(jobName(params));
    if (!json) print(`${jobName(params)} was deleted.`);
  });
  if (json) printJson({ deleted });
}
