import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { cellMembers, cgroupCell, mayWrite, periodMicros, removeEmpty, sweepCells } from './cgroup-cell.js';
import type { OwnCgroup } from './cgroup-mounts.js';
import type { Limit, Limits } from './limits.js';

/** Where this process and its neighbours go, so that controllers can be handed down past them. */
const leaf = 'mycloud-worker';
const controllers = { memory: 'memory', cpu: 'cpu', processes: 'pids' } as const;

/**
 * Limits by cgroup v2; null where this process may not make cgroups with controllers. Root uses the top of the tree,
 * which alone may hold processes beside controllers; anybody else needs a cgroup delegated to them, as systemd does for
 * a unit with `Delegate=yes`: its processes are moved to a leaf first (cgroups(7), "no internal processes").
 * @param name of the folder that holds the cells of this worker's home
 */
export function cgroupV2(own: OwnCgroup, name: string): Limits | null {
  const mine = path.basename(own.dir) === leaf ? path.dirname(own.dir) : own.dir;
  // The top of the real tree has no cgroup.type; in a container's own view of it the top is like any other.
  const top = mayWrite(path.join(own.mount, 'cgroup.subtree_control'));
  const base = top ? own.mount : mine;
  if (!mayWrite(base) || !mayWrite(path.join(base, 'cgroup.subtree_control'))) return null;
  const offered = words(path.join(base, 'cgroup.controllers'));
  const usable = Object.values(controllers).filter((controller) => offered.includes(controller));
  if (!usable.includes('memory')) return null;
  if (existsSync(path.join(base, 'cgroup.type'))) moveDown(base);
  handDown(base, usable);
  const parent = path.join(base, name);
  mkdirSync(parent, { recursive: true });
  handDown(parent, usable);
  return {
    kind: 'cgroup v2',
    group: parent,
    enforced: {
      memory: true,
      cpu: usable.includes(controllers.cpu),
      processes: usable.includes(controllers.processes),
    },
    cell(job, limit) {
      const dir = path.join(parent, job);
      mkdirSync(dir, { recursive: true });
      confine(dir, limit, usable);
      return cgroupCell([dir]);
    },
    sweep: (keep) => sweepCells([parent], keep),
    close: () => removeEmpty([parent]),
  };
}

function moveDown(base: string): void {
  const to = path.join(base, leaf);
  mkdirSync(to, { recursive: true });
  for (const pid of cellMembers([base])) {
    try {
      writeFileSync(path.join(to, 'cgroup.procs'), String(pid));
    } catch (error) {
      // It has ended meanwhile.
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

function handDown(dir: string, usable: string[]): void {
  const file = path.join(dir, 'cgroup.subtree_control');
  const missing = usable.filter((controller) => !words(file).includes(controller));
  if (missing.length > 0) writeFileSync(file, missing.map((controller) => `+${controller}`).join(' '));
}

function confine(dir: string, limit: Limit, usable: string[]): void {
  writeFileSync(path.join(dir, 'memory.max'), String(limit.memoryBytes));
  const swap = path.join(dir, 'memory.swap.max');
  // Absent where the kernel doesn't count swap.
  if (existsSync(swap)) writeFileSync(swap, '0');
  if (usable.includes('pids')) writeFileSync(path.join(dir, 'pids.max'), String(limit.processes));
  if (!usable.includes('cpu')) return;
  const weight = Math.min(10_000, Math.max(1, Math.round(100 * (limit.cores ?? 1))));
  writeFileSync(path.join(dir, 'cpu.weight'), String(weight));
  const quota = limit.cores === null ? 'max' : String(Math.round(limit.cores * periodMicros));
  writeFileSync(path.join(dir, 'cpu.max'), `${quota} ${periodMicros}`);
}

const words = (file: string): string[] =>
  existsSync(file) ? readFileSync(file, 'utf8').split(/\s+/).filter(Boolean) : [];
