import type { Cell } from '../limits/limits.js';
import type { ProcessInfo } from '../processes.js';

/** The supervisor of a running job. */
export interface JobProcess {
  pid: number;
  /** As the system says it: pid and start time together name one process. */
  startTime: string;
  /** `MYCLOUD_EXECUTION=…` in the environment of every process of the job. */
  marker: string;
  /** Its cgroups. */
  cell: string[];
}

/** Folders of an attempt, as the worker sees them. */
export interface JobDirs {
  code: string;
  output: string;
  home: string;
  tmp: string;
  /** Log, exit code and status go here. */
  run: string;
  mounts: { name: string; dir: string }[];
}

/** The same places as the job sees them. */
export interface JobPaths {
  code: string;
  output: string;
  home: string;
  tmp: string;
  mounts: { name: string; path: string }[];
}

export interface Launch {
  /** Run by a shell. */
  command: string;
  env: Record<string, string>;
  marker: string;
  dirs: JobDirs;
  /** Further folders the job must see, read-only: node, the trainer, its environment. */
  readOnly: string[];
  /** The machine has GPUs: their devices are to be seen. */
  gpus: boolean;
  /** Its place in the system's limits. */
  cell: Cell;
}

/** How a worker isolates a job. The job outlives the worker: nothing here depends on who started it. */
export interface Runner {
  readonly name: 'bubblewrap' | 'process';
  /** Whether the cache's trees can be mounted as they are; otherwise each job gets its own copy. */
  readonly mountsReadOnly: boolean;
  paths(dirs: JobDirs): JobPaths;
  /** Starts the command under a supervisor which writes its output to run/log and its exit code to run/exit. */
  start(launch: Launch): Promise<JobProcess>;
  /** All processes of the job, wherever they forked to, without the supervisor. */
  members(job: JobProcess, runDir: string): ProcessInfo[];
  /** Signals every process of the job. @returns how many there were. */
  signal(job: JobProcess, runDir: string, signal: NodeJS.Signals): number;
}
