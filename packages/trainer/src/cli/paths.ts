import { constants } from 'node:fs';
import { access, mkdir, readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { TrainerError } from '../errors.js';

/** Where a job's /output lies: the process runner can't put it there, and says in MYCLOUD_OUTPUT where it is. */
export interface OutputFolder {
  dir: string;
  /** A path as a person writes it: relative ones and /output/… lie in the output folder. */
  resolve(file: string): string;
}

/** @throws TrainerError 'bad_option' where it can't be written to. */
export async function outputFolder(given: string | undefined, env: NodeJS.ProcessEnv): Promise<OutputFolder> {
  const dir = path.resolve(given ?? env.MYCLOUD_OUTPUT ?? '/output');
  try {
    await mkdir(dir, { recursive: true });
    await access(dir, constants.W_OK);
  } catch (cause) {
    throw new TrainerError('bad_option', `The output folder ${dir} can't be written to`, {
      cause,
      hint: 'Name another with --output, or in MYCLOUD_OUTPUT.',
    });
  }
  return {
    dir,
    resolve(file) {
      if (file === '/output' || file.startsWith('/output/'))
        return path.join(dir, file.slice('/output'.length));
      return path.resolve(dir, file);
    },
  };
}

export interface DataFolders {
  train: string;
  validation: string;
  /** Names of the folders in train/, sorted. */
  classes: string[];
}

/** @throws TrainerError 'no_data' where there is no such folder, no train/ or val/ in it, or fewer than two classes. */
export async function dataFolders(given: string | undefined, env: NodeJS.ProcessEnv): Promise<DataFolders> {
  const root = path.resolve(given ?? env.MYCLOUD_INPUT ?? '/input');
  const dir = await folderWithTrain(root);
  const inside = await folders(dir);
  const validation = ['val', 'validation'].find((name) => inside.includes(name));
  if (!validation) {
    throw new TrainerError('no_data', `${dir} has a folder train but neither val nor validation`, {
      hint: 'Put the pictures to validate on into val, one folder per class.',
    });
  }
  const train = path.join(dir, 'train');
  const classes = (await folders(train)).sort();
  if (classes.length < 2) {
    const found = classes.length === 0 ? 'no folder' : `one folder (${classes[0]})`;
    throw new TrainerError('no_data', `${train} holds ${found}, and telling things apart takes two classes`, {
      hint: 'Put the pictures of each class into a folder of its own: train/cats, train/dogs.',
    });
  }
  return { train, validation: path.join(dir, validation), classes };
}

/** The folder itself, or its only child that has train/: an archive's own folder, or the one dataset mounted. */
async function folderWithTrain(root: string): Promise<string> {
  const info = await stat(root).catch(() => undefined);
  if (!info?.isDirectory()) {
    throw new TrainerError('no_data', info ? `${root} is not a folder` : `There is no folder ${root}`, {
      hint: 'Name the folder of the pictures with --data, or mount a dataset: mycloud run --data NAME:input.',
    });
  }
  const inside = await folders(root);
  if (inside.includes('train')) return root;
  const having: string[] = [];
  for (const child of inside) {
    if ((await folders(path.join(root, child))).includes('train')) having.push(path.join(root, child));
  }
  if (having.length === 1) return having[0]!;
  const found =
    having.length > 1 ? `${having.length} folders with one (${having.join(', ')})` : inside.join(', ');
  throw new TrainerError(
    'no_data',
    `There is no folder train in ${root}; it holds ${found || 'no folders'}`,
    {
      hint: 'It takes train/ and val/, in each one folder per class. Name the folder that holds them with --data.',
    },
  );
}

async function folders(dir: string): Promise<string[]> {
  const names = await readdir(dir);
  const checked = await Promise.all(
    names.map(async (name) => ({ name, info: await stat(path.join(dir, name)).catch(() => undefined) })),
  );
  return checked
    .filter(({ name, info }) => info?.isDirectory() && !name.startsWith('.'))
    .map(({ name }) => name);
}
