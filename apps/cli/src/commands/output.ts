import path from 'node:path';
import { jobRoutes, snapshotRoutes } from '@mycloud/shared';
import { openSession } from '../context.js';
import { print, printJson } from '../output.js';
import { outputOf } from '../sources.js';
import { bytesText, countText, table } from '../text.js';
import { downloadPart } from '../transfer.js';

interface Options {
  out: string;
  list?: boolean;
  url?: boolean;
  json?: boolean;
}

export async function output(
  name: string | undefined,
  wanted: string | undefined,
  { out, list, url, json }: Options,
): Promise<void> {
  const session = await openSession();
  const job = await session.client.call(jobRoutes.get, { params: await session.jobRef(name) });
  if (url) {
    const address = `${session.client.url}/${job.name}/files`;
    return json ? printJson({ url: address }) : print(address);
  }
  const id = outputOf(job);
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
  const source = { name: `the output of ${job.name}`, snapshotId: id };
  const { files, paths } = await downloadPart(session, source, out, wanted);
  if (json) return printJson({ job: job.name, dir: path.resolve(out), files: [...paths()] });
  print(`${countText(files, 'file')} of ${job.name} in ${path.resolve(out)}`);
}
