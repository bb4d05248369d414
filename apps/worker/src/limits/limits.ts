/** What one job may take. */
export interface Limit {
  memoryBytes: number;
  /** null: as much of the CPU as others leave. */
  cores: number | null;
  /** Processes and threads together. */
  processes: number;
}

/** What the system holds a job to. */
export interface Enforced {
  memory: boolean;
  cpu: boolean;
  processes: boolean;
}

/** What was seen of a job's memory. */
export interface MemoryFacts {
  /** Processes of it that the kernel killed because its memory was used up. */
  oomKills: number;
  /** The most it had, bytes; null where nobody counts. */
  peakBytes: number | null;
}

/** The place of one job in the system's limits. It outlives the worker. */
export interface Cell {
  /** cgroups that make it up: a later worker opens it again by them. */
  readonly dirs: readonly string[];
  /** Files into which the job's first process writes itself, before it becomes the command. */
  readonly enter: readonly string[];
  /** Words put before the command instead. */
  readonly prefix: readonly string[];
}

/** How jobs are held to their limits on this machine: the best the system lets us have. */
export interface Limits {
  readonly kind: 'cgroup v2' | 'cgroup v1' | 'docker' | 'slurm' | 'prlimit' | 'none';
  readonly enforced: Enforced;
  /** The cgroup v2 below which all its jobs are; null where they are in none. */
  readonly group: string | null;
  /** Makes the place of a job. @param name unique among the jobs of this worker's home */
  cell(name: string, limit: Limit): Cell;
  /** Removes the places of jobs that aren't there any more, with what still runs in them. */
  sweep(keep: ReadonlySet<string>): Promise<void>;
  /** Leaves no trace where no job is left. */
  close(): void;
}

/** For logs, doctor and registration: "cgroup v1 holds memory, CPU and processes". */
export function limitsText({ kind, enforced }: Pick<Limits, 'kind' | 'enforced'>): string {
  const names = { memory: 'memory', cpu: 'CPU', processes: 'processes' } as const;
  const keys = Object.keys(names) as (keyof Enforced)[];
  const held = keys.filter((key) => enforced[key]).map((key) => names[key]);
  const free = keys.filter((key) => !enforced[key]).map((key) => names[key]);
  if (held.length === 0) return 'nothing holds memory, CPU and processes';
  const each = kind === 'prlimit' ? ' of each process' : '';
  const rest = free.length > 0 ? `; not ${listed(free)}` : '';
  return `${kind} holds ${listed(held)}${each}${rest}`;
}

const listed = (names: string[]): string =>
  names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
