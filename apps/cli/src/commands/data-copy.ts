import path from 'node:path';
import { datasetRoutes, jobRoutes } from '@mycloud/shared';
import { openSession } from '../context.js';
import { ensureDataset } from '../datasets.js';
import { hint, print, printJson } from '../output.js';
import { datasetHere, findSource, outputOf } from '../sources.js';
import { bytesText, countText } from '../text.js';
import { downloadPart } from '../transfer.js';

/** A job's output becomes a version of a dataset: no byte is copied, both are the same snapshot. */
export async function dataAdd(
  jobText: string,
  name: string | undefined,
  { message, json }: { message?: string; json?: boolean },
): Promise<void> {
  const session = await openSession();
  const ref = await session.jobRef(jobText.replace(/\/output\/?$/, ''));
  const job = await session.client.call(jobRoutes.get, { params: ref });
  const snapshotId = outputOf(job);
  const params = await ensureDataset(session, name ?? (await datasetHere()));
  const version = await session.client.call(datasetRoutes.addVersion, {
    params,
    body: { snapshotId, message: message ?? `output of ${job.name}` },
  });
  if (json) return printJson(version);
  print(`Dataset ${version.name}`);
  hint(
    `${version.files} files, ${bytesText(version.bytes)}. Mount it: mycloud run --data ${params.dataset}/${version.number}:input "COMMAND"`,
  );
}

/** All of a version, or of what a job wrote, in a folder of its name. */
export async function dataClone(
  name: string,
  dir: string | undefined,
  { path: wanted, json }: { path?: string; json?: boolean },
): Promise<void> {
  const session = await openSession();
  const source = await findSource(session, name);
  const target = path.resolve(dir ?? source.folder);
  const { files } = await downloadPart(session, source, target, wanted);
  if (json) return printJson({ version: source.name, dir: target, files });
  print(`${countText(files, 'file')} of ${source.name} in ${target}`);
}
