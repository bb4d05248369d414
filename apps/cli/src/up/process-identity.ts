import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

/** A process named so that a later one with the same pid is not taken for it. */
export interface ProcessIdentity {
  pid: number;
  /** When it started, in the system's own words. */
  started: string;
}

/** @returns undefined when no process has that pid */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  const started = process.platform === 'linux' ? await startOnLinux(pid) : await startByPs(pid);
  return started ? { pid, started } : undefined;
}

export async function isAlive({ pid, started }: ProcessIdentity): Promise<boolean> {
  return (await identify(pid))?.started === started;
}

async function startOnLinux(pid: number): Promise<string | undefined> {
  // A process that is gone has no folder in /proc.
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => undefined);
  if (!stat) return undefined;
  // The name stands in parentheses and may hold anything: fields are counted from the last one (proc(5): 3 state, 22 starttime).
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? undefined : fields[22 - 3];
}

async function startByPs(pid: number): Promise<string | undefined> {
  // ps exits with 1 for a pid that isn't there.
  const { stdout } = await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)]).catch(() => ({
    stdout: '',
  }));
  return stdout.trim() || undefined;
}
