import { mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { type AttemptFolder, readAttemptFolder } from './attempt-folder.js';
import type { Capacity } from './capacity.js';
import type { WorkerDeps } from './deps.js';
import { Execution } from './execution.js';
import { bringMounts, type HeldMounts } from './inputs.js';
import { killMarked, markerOf } from './marker.js';

/** A job whose worker dies so often is given up by it: another attempt may do better, and a job that kills workers ends. */
const mostCrashes = 5;

/** Takes up what an earlier worker of this home left: running jobs, and ends not told yet. The rest is removed. */
export async function adopt(deps: WorkerDeps, attemptsDir: string, capacity: Capacity): Promise<Execution[]> {
  await mkdir(attemptsDir, { recursive: true });
  const folders: AttemptFolder[] = [];
  for (const name of await readdir(attemptsDir)) {
    const dir = path.join(attemptsDir, name);
    const folder = readAttemptFolder(dir);
    if (folder) folders.push(folder);
    else await rm(dir, { recursive: true, force: true });
  }
  // With what a worker left that died in the middle of a start or an end.
  const running = folders.flatMap((folder) => folder.state.process ?? []);
  await deps.limits.sweep(new Set(running.flatMap((job) => job.cell)));
  await deps.runners.sweep(new Set(running.map((job) => job.marker)));
  const executions: Execution[] = [];
  for (const folder of folders) {
    const { assignment, phase, runner: runnerName, gpus } = folder.state;
    if (phase === 'preparing') await startOver(folder);
    const held =
      (phase === 'running' || phase === 'waiting') &&
      runnerName &&
      deps.runners.named(runnerName).mountsReadOnly;
    const mounts = held ? await holdMounts(deps, folder) : null;
    const crashes = countCrashes(folder);
    const execution = new Execution(deps, folder, capacity.take(assignment.machine, gpus), mounts);
    executions.push(execution);
    deps.log.info({ job: assignment.name, attempt: assignment.attempt, phase, crashes }, 'adopted');
    if (crashes >= mostCrashes) {
      execution.stop({ reason: 'worker_lost', detail: `it was killed ${crashes} times in an hour` });
    }
  }
  return executions;
}

/** How often a worker was killed within the last hour while this attempt was its to look after. */
function countCrashes(folder: AttemptFolder): number {
  const { left, crashes: before = [] } = folder.state;
  const recent = before.filter((time) => time > Date.now() - 3_600_000);
  const crashes = left ? recent : [...recent, Date.now()];
  folder.update({ left: false, crashes });
  return crashes.length;
}

/** Half prepared is not prepared. The command may have been started in the very moment before it was noted. */
async function startOver(folder: AttemptFolder): Promise<void> {
  killMarked(markerOf(folder.state.assignment));
  for (const dir of [
    folder.codeDir,
    folder.outputDir,
    folder.inputsDir,
    folder.runDir,
    `${folder.codeDir}.copy`,
  ]) {
    await rm(dir, { recursive: true, force: true });
    if (!dir.endsWith('.copy')) await mkdir(dir, { recursive: true });
  }
  await rm(`${folder.outputDir}.copy`, { recursive: true, force: true });
}

/** The cache must not remove what a running job has mounted. It is there, so this needs no network. */
async function holdMounts(deps: WorkerDeps, folder: AttemptFolder): Promise<HeldMounts | null> {
  const signal = AbortSignal.timeout(10_000);
  try {
    return await bringMounts({ client: deps.client, cache: deps.cache, folder, signal }, true);
  } catch (error) {
    deps.log.warn(
      { err: error, job: folder.state.assignment.name },
      'its inputs are not in the cache any more',
    );
    return null;
  }
}
