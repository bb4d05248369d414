import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { removeIfFree } from './cgroup-cell.js';
import { type OwnCgroups, ownCgroups } from './cgroup-mounts.js';
import { cgroupV1 } from './cgroup-v1.js';
import { cgroupV2 } from './cgroup-v2.js';
import type { Limits } from './limits.js';
import { barMetadata, liftBar, type Metadata, metadataOpen } from './metadata.js';
import { prlimit } from './prlimit.js';

const none: Limits = {
  kind: 'none',
  group: null,
  enforced: { memory: false, cpu: false, processes: false },
  cell: () => ({ dirs: [], enter: [], prefix: [] }),
  sweep: async () => undefined,
  close: () => undefined,
};

export interface ChosenLimits extends Limits {
  readonly metadata: Metadata;
  /** The cgroup for setup code of environments, where a cloud's metadata is closed to it as to jobs. */
  readonly builds: string | null;
}

/**
 * The best way to hold jobs to their limits here, and by the same cgroups away from a cloud's metadata.
 * @param wanted `auto`, or less than the best: `prlimit` or `none`
 * @param home of the worker: its cells are told from another worker's by it
 */
export async function chooseLimits(
  wanted: 'auto' | 'prlimit' | 'none',
  home: string,
  metadata: 'closed' | 'open',
): Promise<ChosenLimits> {
  const own = ownCgroups();
  const limits = await bestLimits(wanted, home, own);
  const open = (why: string) => ({ ...limits, metadata: metadataOpen(why), builds: null });
  if (metadata === 'open') return open('MYCLOUD_JOBS_METADATA=open');
  const { group } = limits;
  if (!group || !own.v2) return open('jobs are in no cgroup v2 of their own');
  const { mount } = own.v2;
  const barred = await barMetadata(group, mount);
  if (!barred.closed) return open(barred.text);
  const builds = path.join(group, 'builds');
  return {
    ...limits,
    metadata: barred,
    builds,
    close() {
      removeIfFree(builds);
      limits.close();
      if (!existsSync(group)) liftBar(group, mount);
    },
  };
}

async function bestLimits(
  wanted: 'auto' | 'prlimit' | 'none',
  home: string,
  own: OwnCgroups,
): Promise<Limits> {
  if (wanted === 'auto') {
    const name = `mycloud-${createHash('sha256').update(home).digest('hex').slice(0, 12)}`;
    const { v2 } = own;
    const found = (v2 && usable(() => cgroupV2(v2, name))) ?? usable(() => cgroupV1(own, name));
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
