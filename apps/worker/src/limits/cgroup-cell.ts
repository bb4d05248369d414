import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sendSignal } from '@mycloud/processes';
import type { Cell, MemoryFacts } from './limits.js';

/** Of the CPU's time; the kernel's own default. */
export const periodMicros = 100_000;
const goneWithinMs = 5000;

export function mayWrite(dir: string): boolean {
  try {
    accessSync(dir, constants.W_OK);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES' || code === 'EROFS' || code === 'ENOENT') return false;
    throw error;
  }
}

export const cgroupCell = (dirs: string[]): Cell => ({
  dirs,
  enter: procsOf(dirs),
  prefix: [],
});

/** Files into which a process writes itself to be in these cgroups. */
export const procsOf = (dirs: readonly string[]): string[] =>
  dirs.map((dir) => path.join(dir, 'cgroup.procs'));

/** Processes in these cgroups, whatever they forked and wherever that went. */
export function cellMembers(dirs: readonly string[]): number[] {
  const pids = dirs.flatMap((dir) => read(path.join(dir, 'cgroup.procs')).split('\n'));
  return [...new Set(pids.filter(Boolean).map(Number))];
}

/** With those in cgroups that the job made below them itself. */
export function cellMembersBelow(dirs: readonly string[]): number[] {
  const below = dirs.flatMap(foldersIn);
  const own = cellMembers(dirs);
  return below.length === 0 ? own : [...new Set([...own, ...cellMembersBelow(below)])];
}

/** holds: exact, since the kernel counts; asked before the cell is removed. */
export function cellMemory(dirs: readonly string[]): MemoryFacts {
  const first = (...names: string[]): string => {
    for (const dir of dirs) {
      for (const name of names) {
        const text = read(path.join(dir, name));
        if (text) return text;
      }
    }
    return '';
  };
  // v2: memory.events and, since Linux 5.19, memory.peak; v1: memory.oom_control (its oom_kill since 4.13).
  const kills = /^oom_kill (\d+)/m.exec(first('memory.events', 'memory.oom_control'))?.[1];
  const peak = Number.parseInt(first('memory.peak', 'memory.max_usage_in_bytes'), 10);
  return { oomKills: Number(kills ?? 0), peakBytes: Number.isNaN(peak) ? null : peak };
}

/** Kills what is left in these cgroups and removes them. @throws Error when a process can't be killed */
export async function removeCell(dirs: readonly string[]): Promise<void> {
  const end = Date.now() + goneWithinMs;
  // What may not fork any more can't outrun the killing.
  for (const dir of dirs) {
    const most = path.join(dir, 'pids.max');
    if (existsSync(most)) writeFileSync(most, '0');
  }
  for (let left = dirs.filter(existsSync); left.length > 0; left = left.filter(existsSync)) {
    for (const pid of cellMembers(left)) sendSignal(pid, 'SIGKILL');
    for (const dir of left) {
      try {
        removeTree(dir);
      } catch (error) {
        // Busy until the kernel has let go of the killed.
        if ((error as NodeJS.ErrnoException).code !== 'EBUSY' || Date.now() > end) throw error;
      }
    }
    if (left.some(existsSync)) await sleep(5);
  }
}

/** A job that makes cgroups of its own leaves some below its own. */
function removeTree(dir: string): void {
  for (const below of foldersIn(dir)) {
    for (const pid of cellMembers([below])) sendSignal(pid, 'SIGKILL');
    removeTree(below);
  }
  rmdirSync(dir);
}

function foldersIn(dir: string): string[] {
  try {
    // A cgroup counts its folders as links, and lists dozens of files beside them.
    if (statSync(dir).nlink === 2) return [];
    const entries = readdirSync(dir, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => path.join(dir, entry.name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Removes the cells below `parents` whose names aren't kept. */
export async function sweepCells(parents: readonly string[], keep: ReadonlySet<string>): Promise<void> {
  for (const dir of parents.flatMap(foldersIn)) if (!keep.has(dir)) await removeCell([dir]);
}

/** Removes the folders that hold cells, unless a job is in one. */
export function removeEmpty(parents: readonly string[]): void {
  for (const parent of parents.filter(existsSync)) if (foldersIn(parent).length === 0) rmdirSync(parent);
}

/** Makes a cgroup where it isn't there. @returns words that put the command behind them into it */
export function entering(group: string): string[] {
  mkdirSync(group, { recursive: true });
  return ['/bin/sh', '-c', 'echo 0 >"$1/cgroup.procs" && shift && exec "$@"', 'sh', group];
}

/** Removes a cgroup unless something is in it, or it was never made. */
export function removeIfFree(dir: string): void {
  try {
    rmdirSync(dir);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'EBUSY') throw error;
  }
}

function read(file: string): string {
  // An error is dear, with its trace.
  if (!existsSync(file)) return '';
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Not of this version, or gone with its cgroup.
    if (code === 'ENOENT' || code === 'ENODEV' || code === 'EOPNOTSUPP') return '';
    throw error;
  }
}
