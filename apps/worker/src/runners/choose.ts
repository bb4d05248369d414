import { AppError } from '@mycloud/shared';
import { bubblewrapRunner, bubblewrapWorks } from './bubblewrap.js';
import { processRunner } from './process.js';
import type { Runner } from './runner.js';

/** The runner of that name, or the best that works here. @throws AppError unavailable when the named one doesn't. */
export async function chooseRunner(wanted: 'auto' | 'bubblewrap' | 'process'): Promise<Runner> {
  if (wanted === 'process') return processRunner();
  if (await bubblewrapWorks()) return bubblewrapRunner();
  if (wanted === 'auto') return processRunner();
  throw new AppError('unavailable', 'bubblewrap does not work on this machine', {
    hint: 'Install bubblewrap and allow user namespaces, or set MYCLOUD_RUNNER=process.',
  });
}
