import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Assignment, Machine } from '@mycloud/shared';
import type { AttemptFolder } from './attempt-folder.js';
import type { Share } from './capacity.js';
import type { WorkerDeps } from './deps.js';
import type { HeldEnvironment } from './environments/environment.js';
import { requirementFiles } from './environments/requirements.js';
import { bringMounts, bringWorkingFolders, type HeldMounts } from './inputs.js';
import { jobEnv } from './job-env.js';
import { type Limit, limitsText } from './limits/limits.js';
import { codeIntoOutput, jupyterCommand, listenEnv } from './modes.js';
import type { JobDirs, JobProcess, Runner } from './runners/runner.js';

export interface Preparing {
  deps: WorkerDeps;
  runner: Runner;
  folder: AttemptFolder;
  marker: string;
  share: Share;
  /** A system line of the job's log. */
  say(line: string): void;
  /** Told of the mounts as soon as they are held, whatever follows. */
  hold(mounts: HeldMounts): void;
  /** The same of the environment. */
  holdEnvironment(environment: HeldEnvironment): void;
  signal: AbortSignal;
}

/** What was started. */
export interface Started {
  job: JobProcess;
  env: Record<string, string>;
  /** Where it was told to listen. */
  port: number | null;
}

/** Brings inputs, code and environment, and starts the command. */
export async function prepareAndStart(preparing: Preparing): Promise<Started> {
  const { deps, runner, folder, marker, share, say, signal } = preparing;
  const { client, cache, config } = deps;
  const { assignment } = folder.state;
  say(announcement(assignment, config.name, runner));
  const bringing = { client, cache, folder, signal };
  const [held] = await Promise.all([
    bringMounts(bringing, runner.mountsReadOnly),
    bringWorkingFolders(bringing),
  ]);
  preparing.hold(held);
  const environment = runner.bring ? await broughtEnvironment(preparing) : await heldEnvironment(preparing);
  await deps.gpus.untilFree(share.gpus, say, signal);
  signal.throwIfAborted();
  const dirs = dirsOf(folder, held.mounts);
  const paths = runner.paths(dirs);
  const { gpus } = share;
  const listens = assignment.mode === 'command' ? null : await runner.choosePort();
  const env = {
    ...jobEnv({ assignment, paths, environment, gpus, basePath: config.path }),
    ...(listens ? listenEnv(assignment, listens) : {}),
  };
  if (assignment.mode === 'jupyter') await codeIntoOutput(folder);
  const port = listens?.port ?? null;
  const job = await runner.start({
    command: assignment.mode === 'jupyter' ? jupyterCommand(assignment) : assignment.command,
    env,
    marker,
    dirs,
    environment,
    gpus,
    limit: limitOf(assignment.machine, share, deps),
    machine: assignment.machine,
    maxRuntimeSeconds: assignment.maxRuntimeSeconds,
    port,
  });
  return { job, env, port };
}

async function broughtEnvironment({ runner, folder, say, signal }: Preparing) {
  const left = requirementFiles.filter((name) => existsSync(path.join(folder.codeDir, name)));
  if (left.length > 0)
    say(`${left.join(' and ')} is not installed: the command runs in a container image, taken as it is`);
  const brought = await runner.bring?.(folder.state.assignment.environment, say, signal);
  if (!brought) throw new Error(`the runner ${runner.name} brings no environments`);
  return brought;
}

async function heldEnvironment({ deps, folder, say, signal, holdEnvironment }: Preparing) {
  const { environment, code } = folder.state.assignment;
  const given = { dir: folder.codeDir, hash: code?.snapshot ?? null };
  const held = await deps.environments.prepare(environment, given, { say, signal });
  holdEnvironment(held);
  return held;
}

/** A machine whose GPUs aren't there computes on the CPU instead, and on all of it. */
function limitOf(machine: Machine, share: Share, { config, resources }: WorkerDeps): Limit {
  const unbound = share.gpus.length < machine.gpus || machine.cores >= resources.cores;
  return {
    memoryBytes: machine.memoryBytes,
    cores: unbound ? null : machine.cores,
    processes: config.jobProcesses,
  };
}

function announcement(assignment: Assignment, worker: string, runner: Runner): string {
  const { machine, environment, mounts, notes, restore } = assignment;
  const cores = `${machine.cores} ${machine.cores === 1 ? 'core' : 'cores'}`;
  const memory = `${(machine.memoryBytes / 2 ** 30).toFixed(1)} GiB`;
  return [
    ...notes,
    `preparing on ${worker}: machine ${machine.name} (${cores}, ${memory}), environment ${environment.name}, runner ${runner.name}`,
    limitsText(runner.limits),
    ...mounts.map(({ name, snapshot }) => `mounting ${snapshot.slice(0, 12)} at /${name}`),
    ...(restore ? ['restoring the output of the attempt before'] : []),
  ].join('\n');
}

function dirsOf(folder: AttemptFolder, mounts: JobDirs['mounts']): JobDirs {
  const { codeDir, outputDir, homeDir, tmpDir, runDir } = folder;
  return { code: codeDir, output: outputDir, home: homeDir, tmp: tmpDir, run: runDir, mounts };
}
