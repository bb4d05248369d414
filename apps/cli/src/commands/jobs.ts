import { jobName, jobRoutes } from '@mycloud/shared';
import { confirm } from '../confirm.js';
import { openSession } from '../context.js';
import { print, printJson } from '../output.js';

export async function stop(name: string, { json }: { json?: boolean }): Promise<void> {
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

export async function remove(
  names: string[],
  { yes, json }: { yes?: boolean; json?: boolean },
): Promise<void> {
  const session = await openSession();
  const refs = await Promise.all(names.map((name) => session.jobRef(name)));
  const shown = refs.map(jobName);
  await confirm(`Delete ${shown.join(', ')} with logs and output?`, yes);
  for (const params of refs) {
    await session.client.call(jobRoutes.delete, { params });
    if (!json) print(`${jobName(params)} was deleted.`);
  }
  if (json) printJson({ deleted: shown });
}
