import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessInfo {
  pid: number;
  ppid: number;
  group: number;
  session: number;
  /** When it started, in the system's own words: with the pid it names one process. */
  startTime: string;
  /** User and system time in seconds. */
  cpuSeconds: number;
  rssBytes: number;
}

const linux = process.platform === 'linux';
/** USER_HZ and the page size of Linux on every platform Node runs on. */
const ticksPerSecond = 100;
const pageBytes = 4096;

function parseStat(pid: number, stat: string): ProcessInfo | null {
  // The name stands in parentheses and may hold anything; fields are counted from the last one.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const at = (field: number): number => Number(fields[field - 3]);
  if (fields[0] === 'Z' || fields[0] === 'X') return null;
  return {
    pid,
    ppid: at(4),
    group: at(5),
    session: at(6),
    startTime: fields[22 - 3] ?? '',
    cpuSeconds: (at(14) + at(15)) / ticksPerSecond,
    rssBytes: at(24) * pageBytes,
  };
}

function isGone(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES' || code === 'EPERM';
}

function readProc(file: string): string | null {
  try {
    return readFileSync(file, 'latin1');
  } catch (error) {
    if (isGone(error)) return null;
    throw error;
  }
}

function psRows(): ProcessInfo[] {
  const text = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,pgid=,sess=,rss=,lstart='], { encoding: 'utf8' });
  return text.split('\n').flatMap((line) => {
    const [pid, ppid, group, session, rss, ...started] = line.trim().split(/\s+/);
    if (!pid) return [];
    return {
      pid: Number(pid),
      ppid: Number(ppid),
      group: Number(group),
      session: Number(session),
      startTime: started.join(' '),
      cpuSeconds: 0,
      rssBytes: Number(rss) * 1024,
    };
  });
}

/** A living process (not a zombie), or null. */
export function readProcess(pid: number): ProcessInfo | null {
  if (!linux) return psRows().find((row) => row.pid === pid) ?? null;
  const stat = readProc(`/proc/${pid}/stat`);
  return stat === null ? null : parseStat(pid, stat);
}

/** All living processes this user may see. */
export function listProcesses(): ProcessInfo[] {
  if (!linux) return psRows();
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    return readProcess(Number(name)) ?? [];
  });
}

/** Whether a process was started with this variable in its environment. False where the system doesn't say. */
export function hasVariable(pid: number, assignment: string): boolean {
  if (!linux) return false;
  return readProc(`/proc/${pid}/environ`)?.split('\0').includes(assignment) ?? false;
}

/** Kills every process that was started with this variable in its environment. */
export function killWith(assignment: string): void {
  for (const { pid } of listProcesses()) if (hasVariable(pid, assignment)) sendSignal(pid, 'SIGKILL');
}

/** Processes below `root`, without it. */
export function descendants(all: readonly ProcessInfo[], root: number): ProcessInfo[] {
  const children = new Map<number, ProcessInfo[]>();
  for (const info of all) {
    const siblings = children.get(info.ppid);
    if (siblings) siblings.push(info);
    else children.set(info.ppid, [info]);
  }
  const found: ProcessInfo[] = [];
  const waiting = [root];
  for (let pid = waiting.pop(); pid !== undefined; pid = waiting.pop()) {
    for (const child of children.get(pid) ?? []) {
      found.push(child);
      waiting.push(child.pid);
    }
  }
  return found;
}

/** Sends a signal; a process that is gone already is fine. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
