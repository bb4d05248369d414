import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { cgroupCell, mayWrite, periodMicros, removeEmpty, sweepCells } from './cgroup-cell.js';
import type { OwnCgroups } from './cgroup-mounts.js';
import type { Enforced, Limit, Limits } from './limits.js';

/**
 * Limits by cgroup v1, below the cgroup this process is in; null where none of its controllers may be written.
 * @param name of the folder that holds the cells of this worker's home
 */
export function cgroupV1(own: OwnCgroups, name: string): Limits | null {
  const writable = (controller: string): string | null => {
    const dir = own.v1.get(controller)?.dir;
    return dir && mayWrite(dir) ? path.join(dir, name) : null;
  };
  const parents = { memory: writable('memory'), cpu: writable('cpu'), processes: writable('pids') };
  const enforced: Enforced = {
    memory: parents.memory !== null,
    cpu: parents.cpu !== null,
    processes: parents.processes !== null,
  };
  const held = Object.values(parents).filter((dir) => dir !== null);
  if (held.length === 0) return null;
  // Beside these hierarchies there may be that of v2, without controllers: netfilter knows processes by it.
  const group = own.v2 && mayWrite(own.v2.mount) ? path.join(own.v2.mount, name) : null;
  const all = group ? [...held, group] : held;
  for (const dir of all) mkdirSync(dir, { recursive: true });
  return {
    kind: 'cgroup v1',
    group,
    enforced,
    cell(job, limit) {
      // Two controllers may share one hierarchy, and then one cgroup.
      const dirs = [...new Set(all.map((parent) => path.join(parent, job)))];
      for (const dir of dirs) mkdirSync(dir, { recursive: true });
      const at = (parent: string | null): string | null => parent && path.join(parent, job);
      confine({ memory: at(parents.memory), cpu: at(parents.cpu), processes: at(parents.processes) }, limit);
      return cgroupCell(dirs);
    },
    sweep: (keep) => sweepCells(all, keep),
    close: () => removeEmpty(all),
  };
}

function confine(dirs: Record<keyof Enforced, string | null>, limit: Limit): void {
  if (dirs.memory) {
    const bytes = String(limit.memoryBytes);
    writeFileSync(path.join(dirs.memory, 'memory.limit_in_bytes'), bytes);
    // Memory and swap together, where the kernel counts swap: after the limit of memory, which it may not be below.
    const both = path.join(dirs.memory, 'memory.memsw.limit_in_bytes');
    if (existsSync(both)) writeFileSync(both, bytes);
  }
  if (dirs.processes) writeFileSync(path.join(dirs.processes, 'pids.max'), String(limit.processes));
  if (dirs.cpu) {
    const shares = Math.max(2, Math.round(1024 * (limit.cores ?? 1)));
    writeFileSync(path.join(dirs.cpu, 'cpu.shares'), String(shares));
    const quota = limit.cores === null ? -1 : Math.round(limit.cores * periodMicros);
    const file = path.join(dirs.cpu, 'cpu.cfs_quota_us');
    if (existsSync(file)) writeFileSync(file, String(quota));
  }
}
