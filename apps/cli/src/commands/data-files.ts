import path from 'node:path';
import { snapshotRoutes } from '@mycloud/shared';
import { fetchTree } from '@mycloud/snapshots';
import { openSession } from '../context.js';
import { copyOut } from '../copy-out.js';
import { print, printJson } from '../output.js';
import { findSource } from '../sources.js';
import { bytesText, countText, table } from '../text.js';
import { downloadPart } from '../transfer.js';

interface Json {
  json?: boolean;
}

export async function dataFiles(name: string, folder: string | undefined, { json }: Json): Promise<void> {
  const session = await openSession();
  const source = await findSource(session, name);
  const { items } = await session.client.call(snapshotRoutes.files, {
    params: { id: source.snapshotId },
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
  const source = await findSource(session, name);
  const { files } = await downloadPart(session, source, out, wanted);
  if (json) return printJson({ version: source.name, dir: path.resolve(out), files });
  print(`${countText(files, 'file')} of ${source.name} in ${path.resolve(out)}`);
}

/** Every path, as floyd told them: one a line, in order, a folder with a slash at its end. */
export async function dataListFiles(name: string, { json }: Json): Promise<void> {
  const session = await openSession();
  const source = await findSource(session, name);
  const tree = await fetchTree(session.client, source.snapshotId);
  const paths = Array.from({ length: tree.count }, (_, i) => `${tree.path(i)}${tree.isDir(i) ? '/' : ''}`);
  if (json) return printJson({ source: source.name, paths });
  if (paths.length > 0) print(paths.join('\n'));
}

export async function dataGetFile(name: string, wanted: string, { json }: Json): Promise<void> {
  const session = await openSession();
  const source = await findSource(session, name);
  const { at } = await copyOut(session, source, wanted, '.', { only: 'file' });
  if (json) printJson({ source: source.name, file: path.resolve(at) });
  else print(`${wanted} of ${source.name} in ${path.resolve(at)}`);
}
