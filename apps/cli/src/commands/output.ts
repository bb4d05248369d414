import path from 'node:path';
import { AppError, jobRoutes, snapshotRoutes } from '@mycloud/shared';
import { openSession } from '../context.js';
import { print, printJson } from '../output.js';
import { bytesText, countText, table } from '../text.js';
import { download } from '../transfer.js';

interface Options {
  out: string;
  list?: boolean;
  json?: boolean;
}

/** Picks one file or folder of a tree, and the folders that lead to it. */
export const below = (wanted: string) => {
  const clean = wanted.replace(/^\/+|\/+$/g, '');
  return (candidate: string): boolean => candidate === clean || candidate.startsWith(`${clean}/`);
};

export async function output(
  name: string,
  wanted: string | undefined,
  { out, list, json }: Options,
): Promise<void> {
  const session = await openSession();
  const job = await session.client.call(jobRoutes.get, { params: await session.jobRef(name) });
  const id = job.outputSnapshotId;
  if (!id) {
    throw new AppError('not_found', `${job.name} has no output${job.finishedAt ? '' : ' yet'}`, {
      hint: job.finishedAt
        ? 'It wrote nothing to /output.'
        : 'It is saved every half minute, and at the end.',
    });
  }
  if (list) {
    const { items } = await session.client.call(snapshotRoutes.files, {
      params: { id },
      query: { path: wanted },
    });
    if (json) return printJson({ items });
    return print(
      table(
        ['NAME', 'SIZE'],
        items.map((item) => [item.type === 'dir' ? `${item.path}/` : item.path, bytesText(item.size)]),
      ),
    );
  }
  const { files, paths } = await download(session, id, out, wanted === undefined ? undefined : below(wanted));
  if (files === 0 && wanted)
    throw new AppError('not_found', `there is no ${wanted} in the output of ${job.name}`);
  if (json) return printJson({ job: job.name, dir: path.resolve(out), files: [...paths()] });
  print(`${countText(files, 'file')} of ${job.name} in ${path.resolve(out)}`);
}
