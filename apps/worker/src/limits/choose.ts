import { createHash } from 'node:crypto';
import { ownCgroups } from './cgroup-mounts.js';
import { cgroupV1 } from './cgroup-v1.js';
import { cgroupV2 } from './cgroup-v2.js';
import type { Limits } from './limits.js';
import { prlimit } from './prlimit.js';

const none: Limits = {
  kind: 'none',
  enforced: { memory: false, cpu: false, processes: false },
  cell: () => ({ dirs: [], enter: [], prefix: [] }),
  sweep: async () => undefined,
  close: () => undefined,
};

/**
 * The best way to hold jobs to their limits here.
 * @param wanted `auto`, or less than the best: `prlimit` or `none`
 * @param home of the worker: its cells are told from another worker's by it
 */
export async function chooseLimits(wanted: 'auto' | 'prlimit' | 'none', home: string): Promise<Limits> {
  if (wanted === 'auto') {
    const own = ownCgroups();
    const name = `mycloud-${createHash('sha256').update(home).digest('hex').slice(0, 12)}`;
    const { v1, v2 } = own;
    const found = (v2 && usable(() => cgroupV2(v2, name))) ?? usable(() => cgroupV1(v1, name));
    if (found) return found;
  }
  return (wanted === 'none' ? null : await prlimit()) ?? none;
}

const refused = new Set(['EACCES', 'EPERM', 'EROFS', 'EBUSY', 'EINVAL', 'ENOENT', 'EOPNOTSUPP']);

/** A hierarchy that looks usable may still refuse: then the next best is taken. */
function usable(open: () => Limits | null): Limits | null {
  try {
    return open();
  } catch (error) {
    if (refused.has((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw error;
  }
}
