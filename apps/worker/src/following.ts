import type { AttemptFolder, AttemptState } from './attempt-folder.js';
import type { Channels } from './channels.js';
import type { WorkerDeps } from './deps.js';
import { isDiskFull } from './disk/room.js';
import { endOfExit } from './ending.js';
import { farGpus, followGpus } from './gpus/job-gpus.js';
import { LogTail } from './logs/log-tail.js';
import { SystemMetrics } from './metrics/system-metrics.js';
import type { JobProcess, Runner } from './runners/runner.js';
import { readExitCode } from './runners/supervisor.js';
import { waitForExit } from './runners/wait-for-exit.js';
import type { Stopper } from './stopper.js';

/** Between two saves of the output of a job that is watched: only what has changed is sent. */
const watchedSyncSeconds = 10;

export interface Following {
  deps: WorkerDeps;
  runner: Runner;
  folder: AttemptFolder;
  channels: Channels;
  job: JobProcess;
  gpus: readonly string[];
  stopper: Stopper;
  /** An earlier worker started it. */
  adopted: boolean;
  /** The command has ended; what it printed last is still being read. */
  onExit(): void;
  onFailure(error: unknown): void;
  /** It leaves its GPUs idle. @param detail how long already */
  onGpuIdle(detail: string): void;
  /** It uses more of the disk than it may. */
  onDiskOver(detail: string, graceSeconds: number): void;
  /** The time it may run is over. */
  onMaxRuntime(seconds: number): void;
  signal: AbortSignal;
}

/** Follows a running command to its end: lines, metrics, output. @throws the signal's reason when that comes first */
export async function follow(following: Following): Promise<NonNullable<AttemptState['end']>> {
  const { deps, runner, folder, channels, job, stopper, adopted, onFailure, signal } = following;
  const { book, metrics, events, output } = channels;
  const { assignment } = folder.state;
  // Without a last word of its supervisor. An engine may still have a code for it, of the machine's own end.
  const vanished = adopted && !(await runner.isAlive(job)) && (await readExitCode(folder.runDir)) === null;
  const tail = new LogTail(folder.logFile, book, onFailure);
  tail.start();
  const system = new SystemMetrics();
  system.start(
    () => runner.usage(job, folder.runDir),
    (points) => metrics.add(points),
    (error) => deps.log.debug({ err: error, job: assignment.name }, 'its use can not be seen now'),
  );
  events.start();
  // Whoever asked for TensorBoard looks at it while the job runs.
  const most = assignment.tensorboard ? watchedSyncSeconds : Number.POSITIVE_INFINITY;
  output.startSync(Math.min(deps.config.outputSyncSeconds, most), onFailure);
  const unwatch = deps.disk.watch(folder.dir, following.onDiskOver);
  const { gpuIdle } = deps.config;
  const far = runner.gpuReadings;
  const unfollow = followGpus({
    watch: far ? farGpus(() => far(folder.runDir), deps.config.gpuSeconds) : deps.gpus,
    gpus: far ? null : following.gpus,
    idlePercent: gpuIdle.percent,
    idleSeconds: gpuIdle.seconds,
    add: (points) => metrics.add(points),
    onIdle: following.onGpuIdle,
  });
  const deadline = atMaxRuntime(following);
  try {
    const exitCode = await waitForExit(runner, job, folder.runDir, signal);
    // The next job takes longer to come than what this one left to go; GPUs are free once it is gone.
    if (following.gpus.length === 0) following.onExit();
    if (exitCode !== 0 && !folder.state.stop) await blameForFullDisk(following);
    await stopper.ended();
    const memory = await runner.memory(job, folder.runDir);
    const ordered = folder.state.stop;
    const verdict = ordered ? null : await runner.verdict?.(job, folder.runDir, exitCode);
    await runner.clear(job).catch((error: unknown) => {
      deps.log.warn({ err: error, job: assignment.name }, 'something of the job can not be killed');
    });
    following.onExit();
    await tail.finish(() => folder.state.stop?.reason === 'disk_limit');
    if (memory.oomKills > 0) book.system(oomLine(memory.oomKills));
    for (const word of verdict?.words ?? []) book.system(word);
    if (ordered) return { ...ordered, exitCode };
    // The kernel's own count says more than that it was so.
    const counted = verdict?.end?.reason === 'out_of_memory' && memory.oomKills > 0;
    if (verdict?.end && !counted) return { ...verdict.end, exitCode };
    return endOfExit({
      exitCode,
      recent: book.recent,
      command: assignment.command,
      oomKills: memory.oomKills,
      peakMemory: memory.peakBytes ?? system.peakMemory,
      limits: runner.limits.kind,
      memoryLimit: assignment.machine.memoryBytes,
      vanished,
    });
  } finally {
    if (deadline) clearTimeout(deadline);
    unwatch();
    unfollow();
    await tail.close();
    system.stop();
    await output.stopSync();
  }
}

/** A job that fills the disk at once may end by that before the guard looks: its reason is the same. */
async function blameForFullDisk({ deps, folder, onDiskOver }: Following): Promise<void> {
  const detail = await deps.disk.filledBy(folder.dir);
  if (detail === null) return;
  try {
    onDiskOver(detail, 0);
  } catch (error) {
    // That it was ordered is known all the same; there is room to note it once lines of the log are given back.
    if (!isDiskFull(error)) throw error;
    deps.log.warn({ err: error }, 'that a job filled the disk could not be noted');
  }
}

function atMaxRuntime({ folder, onMaxRuntime }: Following): NodeJS.Timeout | null {
  const seconds = folder.state.assignment.maxRuntimeSeconds;
  if (seconds === null) return null;
  const left = Math.max(0, (folder.state.startedAt ?? Date.now()) + seconds * 1000 - Date.now());
  // setTimeout counts to 2^31 − 1 ms, 24 days.
  return setTimeout(() => onMaxRuntime(seconds), Math.min(left, 2 ** 31 - 1));
}

const oomLine = (kills: number): string =>
  `out of memory: the system killed ${kills === 1 ? 'a process' : `${kills} processes`} of the job`;
