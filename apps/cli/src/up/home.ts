import { access, constants, mkdir } from 'node:fs/promises';
import { AppError } from '@mycloud/shared';

/** @throws AppError for a folder that can't be made or written to */
export async function makeHome(home: string, noun: 'server' | 'worker' = 'server'): Promise<void> {
  try {
    await mkdir(home, { recursive: true, mode: 0o700 });
    await access(home, constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw new AppError('forbidden', `the ${noun}'s folder ${home} can't be written to`, {
      cause,
      hint: 'Choose another by --home, or mend its permissions.',
    });
  }
}
