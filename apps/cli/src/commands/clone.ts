import path from 'node:path';
import { AppError, jobRoutes } from '@mycloud/shared';
import { openSession } from '../context.js';
import { folderProject, writeFolder } from '../folder.js';
import { hint, print, printJson } from '../output.js';
import { countText } from '../text.js';
import { downloadPart } from '../transfer.js';

/** The code of a job as it ran, in a folder that belongs to its project. */
export async function clone(
  name: string,
  dir: string | undefined,
  { path: wanted, json }: { path?: string; json?: boolean },
): Promise<void> {
  const session = await openSession();
  const job = await session.client.call(jobRoutes.get, { params: await session.jobRef(name) });
  if (!job.codeSnapshotId) throw new AppError('not_found', `${job.name} ran without code of its own`);
  const target = path.resolve(dir ?? `${job.project}-${job.number}`);
  const source = { name: `the code of ${job.name}`, snapshotId: job.codeSnapshotId };
  const { files } = await downloadPart(session, source, target, wanted);
  const isMine = job.owner === (await session.me()).name;
  if (isMine && !(await folderProject(target)))
    await writeFolder({ project: `${job.owner}/${job.project}` }, target);
  if (json) return printJson({ job: job.name, dir: target, files });
  print(`${countText(files, 'file')} of ${source.name} in ${target}`);
  hint(`It ran as: ${job.command}`);
}
