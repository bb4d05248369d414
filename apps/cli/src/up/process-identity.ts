import { readProcess } from '@mycloud/processes';

/** A process named so that a later one with the same pid is not taken for it. */
export interface ProcessIdentity {
  pid: number;
  /** When it started, in the system's own words. */
  started: string;
}

/** @returns undefined when no process has that pid */
export function identify(pid: number): ProcessIdentity | undefined {
  const found = readProcess(pid);
  return found ? { pid, started: found.startTime } : undefined;
}

export const isAlive = ({ pid, started }: ProcessIdentity): boolean => identify(pid)?.started === started;
