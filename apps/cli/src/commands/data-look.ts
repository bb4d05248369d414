import { type Dataset, datasetName, datasetRoutes, storageRoutes } from '@mycloud/shared';
import { openSession } from '../context.js';
import { folderDataset } from '../folder.js';
import { hint, print, printJson } from '../output.js';
import { pageLink, showLink } from '../page-link.js';
import { datasetHere, datasetRef, findSource } from '../sources.js';
import { bytesText, table } from '../text.js';

interface Json {
  json?: boolean;
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

/** All versions, or the one that is named; every dataset where none is named and the folder has none. */
export async function dataStatus(named: string | undefined, { json }: Json): Promise<void> {
  const name = named ?? ((await folderDataset()) && (await datasetHere()));
  if (name === undefined) return dataList({ json });
  const session = await openSession();
  const { params, number } = await datasetRef(session, name);
  const dataset = await session.client.call(datasetRoutes.get, { params });
  const items =
    number === undefined
      ? (await session.client.call(datasetRoutes.versions, { params, query: { limit: 500 } })).items
      : [await session.client.call(datasetRoutes.version, { params: { ...params, number } })];
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

/** Opens the page of a version, or of a job's output. */
export async function dataOutput(
  name: string | undefined,
  { url, json }: Json & { url?: boolean },
): Promise<void> {
  const session = await openSession();
  const { page } = await findSource(session, name ?? (await datasetHere()));
  const address = session.client.url + page;
  if (json) return printJson({ url: address });
  if (url) return print(address);
  showLink((await pageLink(session.client, page)).url, true);
}
