import { readdirSync, readFileSync } from 'node:fs';

/** USER_HZ of Linux, on every platform Node runs on. */
const ticksPerSecond = 100;

interface Stat {
  pid: number;
  ppid: number;
  /** Milliseconds of its own. */
  own: number;
  /** Of its children that have ended and were waited for, and of theirs. */
  waitedFor: number;
}

/** Milliseconds of CPU that each program of a server has used so far. */
export interface CpuUse {
  up: number;
  api: number;
  worker: number;
  /** With what runs below the worker: the shell that starts jobs, their supervisors, the commands. */
  jobs: number;
  /** All its processes. */
  postgres: number;
}

/** @param upPid of `mycloud up`. Linux only */
export function cpuUse(upPid: number): CpuUse {
  const all = readdirSync('/proc').flatMap((name) =>
    /^\d+$/.test(name) ? (readStat(Number(name)) ?? []) : [],
  );
  const below = (pid: number): Stat[] =>
    all.filter(({ ppid }) => ppid === pid).flatMap((one) => [one, ...below(one.pid)]);
  const sum = (stats: Stat[], of: (stat: Stat) => number): number =>
    stats.reduce((total, stat) => total + of(stat), 0);
  const both = (stat: Stat): number => stat.own + stat.waitedFor;
  const programs = all.filter(({ ppid }) => ppid === upPid);
  const named = (pattern: RegExp): Stat[] => programs.filter(({ pid }) => pattern.test(commandLine(pid)));
  const worker = named(/worker[/\\]dist/);
  const postgres = named(/postgres/);
  return {
    up: sum(
      all.filter(({ pid }) => pid === upPid),
      ({ own }) => own,
    ),
    api: sum(named(/api[/\\]dist/), ({ own }) => own),
    worker: sum(worker, ({ own }) => own),
    jobs:
      sum(worker, ({ waitedFor }) => waitedFor) +
      sum(
        worker.flatMap(({ pid }) => below(pid)),
        both,
      ),
    postgres: sum(
      postgres.flatMap((one) => [one, ...below(one.pid)]),
      both,
    ),
  };
}

/** Milliseconds of CPU that the whole machine has spent so far, of all its cores together. */
export function machineCpu(): number {
  const [, , user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = readFile('/proc/stat')
    .split('\n', 1)[0]!
    .split(' ')
    .map(Number);
  return ((user + nice + system + irq + softirq) * 1000) / ticksPerSecond;
}

/** How much of `later` is not in `earlier`. */
export const usedBetween = (earlier: CpuUse, later: CpuUse): CpuUse => ({
  up: later.up - earlier.up,
  api: later.api - earlier.api,
  worker: later.worker - earlier.worker,
  jobs: later.jobs - earlier.jobs,
  postgres: later.postgres - earlier.postgres,
});

function readStat(pid: number): Stat | undefined {
  const stat = readFile(`/proc/${pid}/stat`);
  // The name stands in parentheses and may hold anything; fields are counted from the last one.
  const fields = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  if (fields.length < 20) return undefined;
  const at = (field: number): number => fields[field - 3] ?? 0;
  const ms = (ticks: number): number => (ticks * 1000) / ticksPerSecond;
  return { pid, ppid: at(4), own: ms(at(14) + at(15)), waitedFor: ms(at(16) + at(17)) };
}

const commandLine = (pid: number): string => readFile(`/proc/${pid}/cmdline`).replaceAll('\0', ' ');

/** A process may end between two looks. */
function readFile(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
