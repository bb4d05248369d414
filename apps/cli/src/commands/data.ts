import { readdir } from 'node:fs/promises';
import path from 'node:path';
import {
  AppError,
  type Dataset,
  datasetName,
  datasetRoutes,
  snapshotRoutes,
  storageRoutes,
} from '@mycloud/shared';
import { confirm } from '../confirm.js';
import { openSession } from '../context.js';
import { datasetRef, ensureDataset, findVersion } from '../datasets.js';
import { hint, print, printJson } from '../output.js';
import { bytesText, countText, table } from '../text.js';
import { download, sentText, upload } from '../transfer.js';
import { below } from './output.js';

interface Json {
  json?: boolean;
}

export async function dataInit(name: string, { json }: Json): Promise<void> {
  const session = await openSession();
  const params = await ensureDataset(session, name);
  const full = datasetName(params.owner, params.dataset);
  if (json) printJson({ dataset: full });
  else print(`Dataset ${full} is there. Fill it: mycloud data upload ${params.dataset} --dir DIR`);
}

export async function dataUpload(
  name: string,
  { dir, message, json }: Json & { dir: string; message: string },
): Promise<void> {
  await checkFolder(dir);
  const session = await openSession();
  const sent = await upload(session, dir);
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
  hint(`Mount it: mycloud run --data ${params.dataset}/${version.number}:input "COMMAND"`);
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

export async function dataList({ json }: Json): Promise<void> {
  const session = await openSession();
  const items: Dataset[] = [];
  let cursor: string | undefined;
  do {
    const page: { items: Dataset[]; nextCursor: string | null } = await session.client.call(
      datasetRoutes.list,
      { query: { cursor, limit: 200 } },
    );
    items.push(...page.items);
    cursor = page.nextCursor ?? undefined;
  } while (cursor);
  if (json) return printJson({ items });
  if (items.length === 0) return print('No datasets yet. Begin with: mycloud data upload NAME --dir DIR');
  const rows = items.map(({ owner, name, latest }) => [
    datasetName(owner, name),
    latest ? String(latest.number) : '-',
    latest ? String(latest.files) : '',
    latest ? bytesText(latest.bytes) : '',
    latest?.createdAt ?? '',
  ]);
  print(table(['DATASET', 'VERSION', 'FILES', 'SIZE', 'MADE'], rows));
}

export async function dataStatus(name: string, { json }: Json): Promise<void> {
  const session = await openSession();
  const { params } = await datasetRef(session, name);
  const dataset = await session.client.call(datasetRoutes.get, { params });
  const { items } = await session.client.call(datasetRoutes.versions, { params, query: { limit: 500 } });
  const storage = await session.client.call(storageRoutes.mine, {});
  if (json) return printJson({ ...dataset, versions: items, storage });
  const rows = items.map((version) => [
    version.name,
    String(version.files),
    bytesText(version.bytes),
    bytesText(version.storedBytes),
    version.createdAt,
    version.message,
  ]);
  print(table(['VERSION', 'FILES', 'SIZE', 'STORED', 'MADE', ''], rows));
  const quota = storage.quotaBytes === null ? '' : `, of ${bytesText(storage.quotaBytes)} you may`;
  hint(
    `All you store: ${bytesText(storage.logicalBytes)}, which take up ${bytesText(storage.storedBytes)}${quota}. What versions share is stored once.`,
  );
}

export async function dataFiles(name: string, folder: string | undefined, { json }: Json): Promise<void> {
  const session = await openSession();
  const version = await findVersion(session, name);
  const { items } = await session.client.call(snapshotRoutes.files, {
    params: { id: version.snapshotId },
    query: { path: folder },
  });
  if (json) return printJson({ items });
  print(
    table(
      ['NAME', 'SIZE', 'FILES'],
      items.map((item) => [
        item.type === 'dir' ? `${item.path}/` : item.path,
        bytesText(item.size),
        String(item.files),
      ]),
    ),
  );
}

export async function dataGet(
  name: string,
  wanted: string | undefined,
  { out, json }: Json & { out: string },
): Promise<void> {
  const session = await openSession();
  const version = await findVersion(session, name);
  const { files } = await download(
    session,
    version.snapshotId,
    out,
    wanted === undefined ? undefined : below(wanted),
  );
  if (files === 0 && wanted) throw new AppError('not_found', `there is no ${wanted} in ${version.name}`);
  if (json) return printJson({ version: version.name, dir: path.resolve(out), files });
  print(`${countText(files, 'file')} of ${version.name} in ${path.resolve(out)}`);
}

export async function dataDelete(name: string, { yes, json }: Json & { yes?: boolean }): Promise<void> {
  const session = await openSession();
  const { params, number } = await datasetRef(session, name);
  const full = datasetName(params.owner, params.dataset, number);
  await confirm(number === undefined ? `Delete ${full} with all its versions?` : `Delete ${full}?`, yes);
  if (number === undefined) await session.client.call(datasetRoutes.delete, { params });
  else await session.client.call(datasetRoutes.deleteVersion, { params: { ...params, number } });
  if (json) printJson({ deleted: full });
  else print(`${full} was deleted.`);
}
