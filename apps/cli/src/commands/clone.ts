import path from 'node:path';
import { AppError, jobRoutes } from '@mycloud/shared';
import { fetchManifest } from '@mycloud/snapshots';
import { openSession, type Session } from '../context.js';
import { differing } from '../differing.js';
import { folderProject, writeFolder } from '../folder.js';
import { hint, print, printJson } from '../output.js';
import { countText } from '../text.js';
import { below, downloadPart } from '../transfer.js';

/** The code of a job as it ran, in a folder that belongs to its project. */
export async function clone(
  name: string,
  dir: string | undefined,
  { path: wanted, force, json }: { path?: string; force?: boolean; json?: boolean },
): Promise<void> {
  const session = await openSession();
  const job = await session.client.call(jobRoutes.get, { params: await session.jobRef(name) });
  if (!job.codeSnapshotId) throw new AppError('not_found', `${job.name} ran without code of its own`);
  const target = path.resolve(dir ?? `${job.project}-${job.number}`);
  const source = { name: `the code of ${job.name}`, snapshotId: job.codeSnapshotId };
  if (!force) await refuseToLose(session, source, target, wanted);
  const { files } = await downloadPart(session, source, target, wanted);
  const isMine = job.owner === (await session.me()).name;
  if (isMine && !(await folderProject(target)))
    await writeFolder({ project: `${job.owner}/${job.project}` }, target);
  if (json) return printJson({ job: job.name, dir: target, files });
  print(`${countText(files, 'file')} of ${source.name} in ${target}`);
  hint(`It ran as: ${job.command}`);
}

/** @throws AppError conflict when files of the folder are otherwise than the job's: they may be somebody's work */
async function refuseToLose(
  session: Session,
  source: { name: string; snapshotId: string },
  dir: string,
  wanted: string | undefined,
): Promise<void> {
  const isWanted = wanted === undefined ? () => true : below(wanted);
  const entries = await fetchManifest(session.client, source.snapshotId);
  const lost = await differing(
    entries.filter((entry) => isWanted(entry.path)),
    dir,
  );
  if (lost.length === 0) return;
  const shown = lost.slice(0, 5).join(', ') + (lost.length > 5 ? ` and ${lost.length - 5} more` : '');
  throw new AppError('conflict', `${dir} has ${shown} otherwise than ${source.name}`, {
    hint: 'Name another folder, or overwrite them with --force.',
  });
}
