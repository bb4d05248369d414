import { access, constants } from 'node:fs/promises';
import path from 'node:path';
import type { Config } from '../config.js';

/**
 * The program `tensorboard`, looked for anew each time, so that one built meanwhile is found without a restart:
 * the one that was configured, the one that the embedded worker's environment of that name holds, PATH's.
 */
export async function findTensorboard(
  config: Pick<Config, 'tensorboard' | 'embedded' | 'home' | 'path'>,
): Promise<string | undefined> {
  const { program } = config.tensorboard;
  if (program) return (await mayRun(program)) ? program : undefined;
  const folders = config.path.split(path.delimiter).filter((folder) => path.isAbsolute(folder));
  // `mycloud up` gives its worker this folder, and a worker names what it built.
  if (config.embedded) folders.unshift(path.join(config.home, 'worker/environments/tensorboard/bin'));
  for (const folder of folders) {
    const file = path.join(folder, 'tensorboard');
    if (await mayRun(file)) return file;
  }
  return undefined;
}

const mayRun = (file: string): Promise<boolean> =>
  access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
