import path from 'node:path';
import { AppError, datasetRoutes, jobRoutes } from '@mycloud/shared';
import { openSession } from '../context.js';
import { datasetRef, ensureDataset, findVersion } from '../datasets.js';
import { hint, print, printJson } from '../output.js';
import { bytesText, countText } from '../text.js';
import { download } from '../transfer.js';

/** A job's output becomes a version of a dataset: no byte is copied, both are the same snapshot. */
export async function dataAdd(
  jobText: string,
  name: string,
  { message, json }: { message?: string; json?: boolean },
): Promise<void> {
  const session = await openSession();
  const ref = await session.jobRef(jobText.replace(/\/output\/?$/, ''));
  const job = await session.client.call(jobRoutes.get, { params: ref });
  if (!job.outputSnapshotId) {
    throw new AppError('not_found', `${job.name} has no output${job.finishedAt ? '' : ' yet'}`, {
      hint: job.finishedAt ? 'It wrote nothing to /output.' : 'Wait until it has saved one.',
    });
  }
  const params = await ensureDataset(session, name);
  const version = await session.client.call(datasetRoutes.addVersion, {
    params,
    body: { snapshotId: job.outputSnapshotId, message: message ?? `output of ${job.name}` },
  });
  if (json) return printJson(version);
  print(`Dataset ${version.name}`);
  hint(
    `${version.files} files, ${bytesText(version.bytes)}. Mount it: mycloud run --data ${params.dataset}/${version.number}:input "COMMAND"`,
  );
}

export async function dataClone(
  name: string,
  dir: string | undefined,
  { json }: { json?: boolean },
): Promise<void> {
  const session = await openSession();
  const version = await findVersion(session, name);
  const target = path.resolve(dir ?? (await datasetRef(session, name)).params.dataset);
  const { files } = await download(session, version.snapshotId, target);
  if (json) return printJson({ version: version.name, dir: target, files });
  print(`${countText(files, 'file')} of ${version.name} in ${target}`);
}
