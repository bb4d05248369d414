import type { Assignment } from '@mycloud/shared';
import type { AttemptFolder } from './attempt-folder.js';
import type { WorkerDeps } from './deps.js';
import { bringMounts, bringWorkingFolders, type HeldMounts } from './inputs.js';
import { jobEnv } from './job-env.js';
import type { JobDirs, JobProcess } from './runners/runner.js';

export interface Preparing {
  deps: WorkerDeps;
  folder: AttemptFolder;
  marker: string;
  gpus: string[];
  /** A system line of the job's log. */
  say(line: string): void;
  /** Told of the mounts as soon as they are held, whatever follows. */
  hold(mounts: HeldMounts): void;
  signal: AbortSignal;
}

/** Brings inputs, code and environment, and starts the command. */
export async function prepareAndStart(preparing: Preparing): Promise<JobProcess> {
  const { deps, folder, marker, gpus, say, signal } = preparing;
  const { client, cache, runner, environments, config } = deps;
  const { assignment } = folder.state;
  say(announcement(assignment, config.name, runner.name));
  const bringing = { client, cache, folder, signal };
  const [held] = await Promise.all([
    bringMounts(bringing, runner.mountsReadOnly),
    bringWorkingFolders(bringing),
  ]);
  preparing.hold(held);
  const environment = await environments.prepare(assignment.environment, folder.codeDir, say, signal);
  signal.throwIfAborted();
  const dirs = dirsOf(folder, held.mounts);
  const paths = runner.paths(dirs);
  return runner.start({
    command: assignment.command,
    env: jobEnv({ assignment, paths, environment, gpus, basePath: config.path }),
    marker,
    dirs,
    readOnly: environment.readOnly,
    gpus: gpus.length > 0,
  });
}

function announcement(assignment: Assignment, worker: string, runner: string): string {
  const { machine, environment, mounts, notes, restore } = assignment;
  const cores = `${machine.cores} ${machine.cores === 1 ? 'core' : 'cores'}`;
  const memory = `${(machine.memoryBytes / 2 ** 30).toFixed(1)} GiB`;
  return [
    ...notes,
    `preparing on ${worker}: machine ${machine.name} (${cores}, ${memory}), environment ${environment.name}, runner ${runner}`,
    ...mounts.map(({ name, snapshot }) => `mounting ${snapshot.slice(0, 12)} at /${name}`),
    ...(restore ? ['restoring the output of the attempt before'] : []),
  ].join('\n');
}

function dirsOf(folder: AttemptFolder, mounts: JobDirs['mounts']): JobDirs {
  const { codeDir, outputDir, homeDir, tmpDir, runDir } = folder;
  return { code: codeDir, output: outputDir, home: homeDir, tmp: tmpDir, run: runDir, mounts };
}
