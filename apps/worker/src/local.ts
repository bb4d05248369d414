import { randomUUID } from 'node:crypto';
import { existsSync, lstatSync, rmSync } from 'node:fs';
import { mkdir, open, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, type LocalJob, localJobSchema } from '@mycloud/shared';
import { buildVariablesOf } from './config.js';
import { EnvironmentError, type PreparedEnvironment } from './environments/environment.js';
import { openEnvironments } from './environments/open.js';
import { jobEnv } from './job-env.js';
import { chooseLimits } from './limits/choose.js';
import { findResources } from './resources.js';
import { chooseRunners } from './runners/choose.js';
import { openLauncher } from './runners/launcher.js';
import type { JobDirs, JobProcess, Runner } from './runners/runner.js';
import { waitForExit } from './runners/wait-for-exit.js';
import { Stopper } from './stopper.js';

const graceSeconds = 10;
/** As `timeout` has it. */
const timedOut = 124;

const say = (line: string): void => {
  process.stderr.write(`[mycloud] ${line}\n`);
};

/**
 * `node local.js JOB`: runs one job (LocalJob, as JSON) in the folder it lies in, by the runners and environments of a
 * worker and without an api. Its output goes to stdout; SIGINT and SIGTERM stop it as a worker does. Exits as the job does.
 */
async function main(env: Record<string, string | undefined>, text: string): Promise<number> {
  const job = localJobSchema.parse(JSON.parse(text));
  const { home } = job;
  const searchPath = env.PATH || '/usr/local/bin:/usr/bin:/bin';
  await mkdir(home, { recursive: true, mode: 0o700 });
  const stopping = new AbortController();
  process.on('SIGINT', () => stopping.abort());
  process.on('SIGTERM', () => stopping.abort());
  const [limits, environments, resources] = await Promise.all([
    chooseLimits('none', home, 'open'),
    openEnvironments({
      home,
      trainerBin: env.MYCLOUD_TRAINER_BIN || undefined,
      path: searchPath,
      variables: buildVariablesOf(env),
      maxBytes: Number.POSITIVE_INFINITY,
      // One's own code in one's own folder.
      hidden: undefined,
    }),
    findResources(),
  ]);
  const launcher = openLauncher();
  const docker = env.MYCLOUD_DOCKER || 'unix:///var/run/docker.sock';
  const runners = await chooseRunners({
    wanted: job.runner,
    slurm: null,
    docker,
    network: 'bridge',
    metadata: 'open',
    home,
    limits,
    launcher,
  });
  const runner = runners.for(job.environment);
  say(`running here: environment ${job.environment.name}, runner ${runner.name}`);
  const asker = { say, signal: stopping.signal };
  const environment = runner.bring
    ? await runner.bring(job.environment, say, stopping.signal)
    : await environments.prepare(job.environment, { dir: job.code, hash: null }, asker);
  const gpus = resources.gpus.slice(0, job.gpus);
  if (gpus.length < job.gpus)
    say(gpus.length === 0 ? 'no GPU is here; the job runs on the CPU' : `only ${gpus.length} GPU is here`);
  const folder = path.join(home, 'runs', randomUUID());
  const dirs = await makeFolders(job, folder);
  const tidy = linksIn(job.code, dirs);
  try {
    const started = await start(job, runner, dirs, environment, gpus, searchPath);
    return await follow(job, runner, started, dirs.run, stopping.signal);
  } finally {
    tidy();
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function makeFolders(job: LocalJob, folder: string): Promise<JobDirs> {
  const at = (name: string): string => path.join(folder, name);
  for (const dir of [at('run'), at('home'), at('tmp'), job.output]) await mkdir(dir, { recursive: true });
  const { code, output, mounts } = job;
  return { code, output, mounts, home: at('home'), tmp: at('tmp'), run: at('run') };
}

/** @returns removes the links to its folders that a plain process gets into the code, and nothing that was there before */
function linksIn(code: string, { mounts }: JobDirs): () => void {
  const fresh = ['output', ...mounts.map(({ name }) => name)]
    .map((name) => path.join(code, name))
    .filter((link) => !existsSync(link));
  return () => {
    for (const link of fresh) {
      if (lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink()) rmSync(link);
    }
  };
}

function start(
  job: LocalJob,
  runner: Runner,
  dirs: JobDirs,
  environment: PreparedEnvironment,
  gpus: string[],
  basePath: string,
): Promise<JobProcess> {
  const { name, env, command } = job;
  return runner.start({
    command,
    env: jobEnv({
      assignment: { name, attempt: 1, env },
      paths: runner.paths(dirs),
      environment,
      gpus,
      basePath,
    }),
    marker: `local.${path.basename(path.dirname(dirs.run))}`,
    dirs,
    environment,
    gpus,
    port: null,
    limit: { memoryBytes: Number.MAX_SAFE_INTEGER, cores: null, processes: 4096 },
    machine: { name: 'here', cores: 1, memoryBytes: Number.MAX_SAFE_INTEGER, gpus: gpus.length },
    maxRuntimeSeconds: job.maxRuntimeSeconds,
  });
}

/** Prints what the job writes until it has ended. @returns its exit code */
async function follow(
  job: LocalJob,
  runner: Runner,
  started: JobProcess,
  runDir: string,
  stop: AbortSignal,
): Promise<number> {
  const stopper = new Stopper(runner, started, runDir, (error) => say(String(error)));
  stop.addEventListener('abort', () => stopper.stop(graceSeconds));
  if (stop.aborted) stopper.stop(graceSeconds);
  let late = false;
  const limit = job.maxRuntimeSeconds;
  const timer =
    limit === null
      ? undefined
      : setTimeout(() => {
          late = true;
          say(`stopped after ${limit} s`);
          stopper.stop(graceSeconds);
        }, limit * 1000);
  const ended = new AbortController();
  const printing = print(path.join(runDir, 'log'), ended.signal);
  const code = await waitForExit(runner, started, runDir, new AbortController().signal);
  clearTimeout(timer);
  await stopper.ended();
  await runner.clear(started);
  ended.abort();
  await printing;
  return late ? timedOut : (code ?? 137);
}

/** Copies a growing file to stdout, and what is left of it after the end. */
async function print(file: string, ended: AbortSignal): Promise<void> {
  const log = await open(file, 'r');
  const buffer = Buffer.alloc(64 * 1024);
  try {
    for (;;) {
      const over = ended.aborted;
      const { bytesRead } = await log.read(buffer, 0, buffer.length);
      if (bytesRead > 0) await written(buffer.subarray(0, bytesRead));
      else if (over) return;
      else await sleep(30, undefined, { signal: ended }).catch(() => undefined);
    }
  } finally {
    await log.close();
  }
}

const written = (bytes: Buffer): Promise<void> =>
  new Promise((resolve, reject) => {
    process.stdout.write(Buffer.from(bytes), (error) => (error ? reject(error) : resolve()));
  });

main(process.env, process.argv[2] ?? '').then(
  (code) => process.exit(code),
  (error: unknown) => {
    const aborted = error instanceof Error && error.name === 'AbortError';
    const expected = error instanceof EnvironmentError || error instanceof AppError;
    const hint = error instanceof AppError && error.hint ? `\n${error.hint}` : '';
    if (!aborted) {
      const words = error instanceof Error ? (expected ? error.message : error.stack) : String(error);
      process.stderr.write(`error: ${words}${hint}\n`);
    }
    process.exit(aborted ? 130 : 1);
  },
);
