import type { Environment, Machine, Reason } from '@mycloud/shared';
import type { PreparedEnvironment } from '../environments/environment.js';
import type { ExecRequest, ExecSession } from '../exec/session.js';
import type { GpuReading } from '../gpus/nvidia-smi.js';
import type { Limit, Limits, MemoryFacts } from '../limits/limits.js';

export const runnerNames = ['bubblewrap', 'process', 'docker', 'slurm'] as const;
export type RunnerName = (typeof runnerNames)[number];

/** The supervisor of a running job. */
export interface JobProcess {
  pid: number;
  /** As the system says it: pid and start time together name one process. */
  startTime: string;
  /** `MYCLOUD_EXECUTION=…` in the environment of every process of the job. */
  marker: string;
  /** Its cgroups, where they are ours. */
  cell: string[];
  /** Id of its container, where it has one. */
  container?: string | undefined;
  /** Id of its job in Slurm, once that is known. */
  slurm?: string | undefined;
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

/** As /input, /output, /code: for a runner that gives the job a view of files of its own. */
export const ownPaths = (dirs: JobDirs): JobPaths => ({
  code: '/code',
  output: '/output',
  home: '/home/job',
  tmp: '/tmp',
  mounts: dirs.mounts.map(({ name }) => ({ name, path: `/${name}` })),
});

/** As they are: for a runner without a view of files of its own. */
export const plainPaths = (dirs: JobDirs): JobPaths => ({
  code: dirs.code,
  output: dirs.output,
  home: dirs.home,
  tmp: dirs.tmp,
  mounts: dirs.mounts.map(({ name, dir }) => ({ name, path: dir })),
});

export interface Launch {
  /** Run by a shell. */
  command: string;
  env: Record<string, string>;
  marker: string;
  dirs: JobDirs;
  environment: PreparedEnvironment;
  /** UUIDs of the GPUs it is given. */
  gpus: string[];
  limit: Limit;
  /** What was asked for, where something other than this worker allots it. */
  machine: Machine;
  maxRuntimeSeconds: number | null;
  /** It is told to listen there; null: it has nothing to listen for. */
  port: number | null;
}

/** What a job uses now. */
export interface Usage {
  /** CPU seconds so far, of each part that counts for itself. */
  cpuSeconds: Map<string, number>;
  memoryBytes: number;
}

/** When its turn came, milliseconds since 1970, and where it runs, in a sentence; or that it ended before, or was taken back for a stop. */
export type Turn = { begunAt: number; where: string } | 'ended' | 'withdrawn';

export interface TurnAsked {
  job: JobProcess;
  runDir: string;
  /** An earlier worker was at it already. */
  adopted: boolean;
  /** Keeps what is known of the job, before anything else happens. */
  note(job: JobProcess): void;
  /** Why it waits; null: nothing is known. Said again and again. */
  say(why: string | null): void;
  /** It is to be taken back. */
  stop: AbortSignal;
  /** It is left as it is. */
  signal: AbortSignal;
}

/** What the system that ran a job says of its end. */
interface Verdict {
  /** null: what its exit code says. */
  end: { reason: Reason; detail: string } | null;
  /** For its log. */
  words: string[];
}

/** How a worker isolates a job. The job outlives the worker: nothing here depends on who started it. */
export interface Runner {
  readonly name: RunnerName;
  /** Whether the cache's trees can be mounted as they are; otherwise each job gets its own copy. */
  readonly mountsReadOnly: boolean;
  readonly limits: Pick<Limits, 'kind' | 'enforced'>;
  paths(dirs: JobDirs): JobPaths;
  /** Makes an environment ready, where that isn't done by the worker's own. @throws EnvironmentError */
  bring?(
    environment: Environment,
    say: (line: string) => void,
    signal: AbortSignal,
  ): Promise<PreparedEnvironment>;
  /** Starts the command under a supervisor which writes its output to run/log and its exit code to run/exit. */
  start(launch: Launch): Promise<JobProcess>;
  /**
   * Where a started job has to wait for its turn: hands it over, once, and waits until it runs.
   * @throws the signal's reason; SlurmRefusal
   */
  awaitTurn?(asked: TurnAsked): Promise<Turn>;
  /** Of a job that nobody here stopped. @param exitCode null: nobody could write it */
  verdict?(job: JobProcess, runDir: string, exitCode: number | null): Promise<Verdict>;
  /** Whether its supervisor still runs; true where that can't be asked now. */
  isAlive(job: JobProcess): Promise<boolean>;
  /** The exit code of an ended job, 128 + n for a signal; null where nobody could write it. */
  exitCode(job: JobProcess, runDir: string): Promise<number | null>;
  usage(job: JobProcess, runDir: string): Promise<Usage>;
  /** Its cards as they were read last, where they aren't this computer's. */
  gpuReadings?(runDir: string): Promise<GpuReading[]>;
  /** Signals every process of the job. @returns how many were reached; 0 while there are none yet */
  signal(job: JobProcess, runDir: string, signal: NodeJS.Signals): Promise<number>;
  /** Runs a command beside it, in what it sees and under its limits. @throws AppError unavailable, not_found */
  exec(
    job: JobProcess,
    folder: { runDir: string; codeDir: string },
    request: ExecRequest,
  ): Promise<ExecSession>;
  /** Ends what commands beside it an earlier worker left, where they don't end with that by themselves. Never fails. */
  endSessions?(job: JobProcess): Promise<void>;
  /** Where a web server of a new job is to listen, as it sees it. @throws EnvironmentError where it could not be reached */
  choosePort(): Promise<{ host: string; port: number }>;
  /** The port of this machine that leads to it. @param port the one it was told */
  reachPort(job: JobProcess, port: number): Promise<number>;
  /** What was seen of its memory. To be asked before it is cleared. */
  memory(job: JobProcess, runDir: string): Promise<MemoryFacts>;
  /** Ends what still runs of it and removes its cgroups or its container. */
  clear(job: JobProcess): Promise<void>;
}
