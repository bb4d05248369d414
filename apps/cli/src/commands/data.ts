import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { AppError, datasetName, datasetRoutes } from '@mycloud/shared';
import { confirm } from '../confirm.js';
import { openSession } from '../context.js';
import { ensureDataset } from '../datasets.js';
import { eachOrTold } from '../each-or-told.js';
import { writeFolder } from '../folder.js';
import { hint, print, printJson } from '../output.js';
import { datasetHere, datasetRef } from '../sources.js';
import { sentText, upload } from '../transfer.js';

interface Json {
  json?: boolean;
}

export async function dataInit(name: string, { json }: Json): Promise<void> {
  const session = await openSession();
  const params = await ensureDataset(session, name);
  const full = datasetName(params.owner, params.dataset);
  await writeFolder({ dataset: `${params.owner}/${params.dataset}` });
  if (json) return printJson({ dataset: full });
  print(`Dataset ${full} is there; this folder belongs to it now.`);
  hint(`Fill it: mycloud data upload, or from elsewhere mycloud data upload ${params.dataset} --dir DIR`);
}

export async function dataUpload(
  named: string | undefined,
  { dir, message, json }: Json & { dir: string; message: string },
): Promise<void> {
  const name = named ?? (await datasetHere());
  await checkFolder(dir);
  const session = await openSession();
  const { owner } = (await datasetRef(session, name)).params;
  const sent = await upload(session, dir, owner);
  if (sent.files === 0) {
    throw new AppError('bad_request', `${path.resolve(dir)} is empty: there are no files to upload`, {
      hint: 'Name another folder with --dir, or look into .mycloudignore.',
    });
  }
  const params = await ensureDataset(session, name);
  const version = await session.client.call(datasetRoutes.addVersion, {
    params,
    body: { snapshotId: sent.snapshotId, message },
  });
  if (json) return printJson(version);
  hint(sentText(sent));
  print(`Dataset ${version.name}`);
  const mine = params.owner === (await session.me()).name;
  const short = mine ? `${params.dataset}/${version.number}` : version.name;
  hint(`Mount it: mycloud run --data ${short}:input "COMMAND"`);
}

async function checkFolder(dir: string): Promise<void> {
  const folder = path.resolve(dir);
  try {
    if ((await readdir(folder)).length > 0) return;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = { ENOENT: 'it is not there', ENOTDIR: 'it is no folder', EACCES: 'you may not read it' }[
      code ?? ''
    ];
    throw new AppError('bad_request', `${folder} can't be read: ${why ?? message}`, { cause });
  }
  throw new AppError('bad_request', `${folder} is empty: there are no files to upload`);
}

/** Versions, and datasets with all of theirs. What can't be deleted is named at the end, and the rest is gone. */
export async function dataDelete(names: string[], { yes, json }: Json & { yes?: boolean }): Promise<void> {
  const session = await openSession();
  const refs = await Promise.all(names.map((name) => datasetRef(session, name)));
  const nameOf = ({ params, number }: (typeof refs)[number]) =>
    datasetName(params.owner, params.dataset, number);
  const shown = refs.map((ref) => nameOf(ref) + (ref.number === undefined ? ' with all its versions' : ''));
  await confirm(`Delete ${shown.join(', ')}?`, yes);
  const deleted: string[] = [];
  await eachOrTold(refs, nameOf, async (ref) => {
    const { params, number } = ref;
    if (number === undefined) await session.client.call(datasetRoutes.delete, { params });
    else await session.client.call(datasetRoutes.deleteVersion, { params: { ...params, number } });
    deleted.push(nameOf(ref));
    if (!json) print(`${nameOf(ref)} was deleted.`);
  });
  if (json) printJson({ deleted });
}
