import { readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { AppError, allowedName } from '@mycloud/shared';
import { z } from 'zod';

/** Says which project a folder belongs to, and which dataset is uploaded from it. */
const folderFile = '.mycloud.json';
/** The same as floyd's own program wrote it. */
const floydProjectFile = '.floydexpt';
const floydDatasetFile = '.floyddata';
/** Where a folder says how its jobs run; the first that is there counts. The last two are floyd's own; there too `.yaml` came first. */
export const jobFileNames = ['mycloud.yml', 'mycloud.yaml', 'floyd.yaml', 'floyd.yml'];

const fullName = z.string().regex(/^[^/]+\/[^/]+$/);
const folderSchema = z.object({ project: fullName.optional(), dataset: fullName.optional() });
const floydSchema = z.object({ name: z.string().min(1), namespace: z.string().nullish() });

/** What a folder belongs to. */
export interface Belongs {
  /** undefined: whoever is logged in. */
  owner?: string;
  name: string;
  /** As floyd knew it, where only floyd's file says so. */
  floyd?: string;
}

/** @returns undefined where there is no such file @throws AppError for one that can't be read or is no JSON */
export async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new AppError('bad_request', `${file} can't be read: ${(error as Error).message}`, {
      hint: 'Mend it or delete it.',
    });
  }
}

/** The project of a folder, as `mycloud init` or `floyd init` wrote it. */
export const folderProject = (dir = process.cwd()): Promise<Belongs | undefined> =>
  belongsTo(dir, 'project', floydProjectFile);

/** The dataset of a folder, as `mycloud data init` or `floyd data init` wrote it. */
export const folderDataset = (dir = process.cwd()): Promise<Belongs | undefined> =>
  belongsTo(dir, 'dataset', floydDatasetFile);

/** Writes what a folder belongs to from now on; what isn't named stays. */
export async function writeFolder(change: z.infer<typeof folderSchema>, dir = process.cwd()): Promise<void> {
  const file = path.join(dir, folderFile);
  const before = folderSchema.safeParse(await readJson(file));
  const temporary = `${file}.${process.pid}`;
  await writeFile(temporary, `${JSON.stringify({ ...before.data, ...change }, null, 2)}\n`);
  await rename(temporary, file);
}

async function belongsTo(
  dir: string,
  key: 'project' | 'dataset',
  floydFile: string,
): Promise<Belongs | undefined> {
  const raw = await readJson(path.join(dir, folderFile));
  const ours = folderSchema.safeParse(raw ?? {});
  if (!ours.success || (raw !== undefined && !ours.data.project && !ours.data.dataset))
    throw new AppError('bad_request', `${folderFile} names no project`, {
      hint: 'Run `mycloud init NAME` again.',
    });
  const [owner, name] = ours.data[key]?.split('/') ?? [];
  return owner && name ? { owner, name } : floydBelongs(path.join(dir, floydFile));
}

/** Names there had capitals, and owners that are nobody here: it is the caller's, under the nearest name that is allowed. */
async function floydBelongs(file: string): Promise<Belongs | undefined> {
  const raw = await readJson(file);
  if (raw === undefined) return undefined;
  const parsed = floydSchema.safeParse(raw);
  const name = parsed.success ? allowedName(parsed.data.name) : undefined;
  if (!parsed.success || name === undefined)
    throw new AppError('bad_request', `${path.basename(file)} holds no name`, {
      hint: 'Run `mycloud init NAME`.',
    });
  const { namespace } = parsed.data;
  return { name, floyd: namespace ? `${namespace}/${parsed.data.name}` : parsed.data.name };
}
