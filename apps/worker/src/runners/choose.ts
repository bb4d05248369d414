import { AppError, type Environment } from '@mycloud/shared';
import { EnvironmentError } from '../environments/environment.js';
import type { Limits } from '../limits/limits.js';
import type { Metadata } from '../limits/metadata.js';
import { bubblewrapRunner, bubblewrapWorks, type Walls } from './bubblewrap.js';
import { type DockerRunner, dockerRunner } from './docker.js';
import type { Launcher } from './launcher.js';
import { processRunner } from './process.js';
import type { Runner, RunnerName } from './runner.js';
import type { SlurmRunner } from './slurm.js';

export interface RunnerOptions {
  wanted: 'auto' | RunnerName;
  /** null: none of its jobs can be here. */
  slurm: SlurmRunner | null;
  /** Address of an engine that speaks Docker's API, or `off`. */
  docker: string;
  network: string;
  /** Whether a cloud's is closed to containers. */
  metadata: 'closed' | 'open';
  bubblewrapNetwork?: 'host' | 'none' | undefined;
  home: string;
  /** Of the server on the same machine. */
  serverHome?: string | undefined;
  limits: Limits;
  launcher: Launcher;
}

/** Folders of this machine that no job and no build may see. */
export const hiddenFolders = ({ home, serverHome }: Pick<RunnerOptions, 'home' | 'serverHome'>): string[] =>
  serverHome ? [serverHome, home] : [home];

/** Around jobs in bubblewrap. */
export const wallsOf = (
  options: Pick<RunnerOptions, 'home' | 'serverHome' | 'bubblewrapNetwork'>,
): Walls => ({ hidden: hiddenFolders(options), network: options.bubblewrapNetwork ?? 'host' });

/** The runners of a worker: one for plain environments, and Docker for those that are images. */
export interface Runners {
  /** The one of plain environments. */
  readonly main: Runner;
  /** Set where it is the one of plain environments. */
  readonly slurm: SlurmRunner | null;
  /** Whether environments that are images run here. */
  readonly images: boolean;
  /** Whether containers are kept from a cloud's metadata; null where there are none. */
  readonly imagesMetadata: Metadata | null;
  /** @throws EnvironmentError when this worker can't run it */
  for(environment: Environment): Runner;
  /** The one that started a job, whatever is configured now. */
  named(name: RunnerName): Runner;
  /** Ends containers and Slurm's jobs of this worker whose executions aren't named. */
  sweep(keep: ReadonlySet<string>): Promise<void>;
}

/** The named runner, or the best that works here. @throws AppError unavailable when the named one doesn't. */
export async function chooseRunners(options: RunnerOptions): Promise<Runners> {
  if (options.wanted === 'slurm' && options.slurm) return slurmRunners(options, options.slurm);
  const docker = dockerRunner(options);
  const images = await docker.works();
  const { limits, launcher, slurm } = options;
  const walls = wallsOf(options);
  const main = await mainRunner(options, walls, images ? docker : null);
  return {
    main,
    slurm: null,
    images,
    imagesMetadata: images ? docker.metadata : null,
    for: (environment) => runnerFor(environment, main, images ? docker : null),
    named: (name) => named(name, { docker, slurm, limits, launcher, walls }),
    sweep: async (keep) => {
      if (images) await docker.sweep(keep);
    },
  };
}

async function mainRunner(
  options: RunnerOptions,
  walls: Walls,
  docker: DockerRunner | null,
): Promise<Runner> {
  const { wanted, limits, launcher } = options;
  switch (wanted) {
    case 'auto':
      return (await bubblewrapWorks())
        ? bubblewrapRunner(limits, launcher, walls)
        : processRunner(limits, launcher);
    case 'bubblewrap':
      if (await bubblewrapWorks()) return bubblewrapRunner(limits, launcher, walls);
      throw new AppError('unavailable', 'bubblewrap does not work on this machine', {
        hint: 'Install bubblewrap and allow user namespaces, or set MYCLOUD_RUNNER=process.',
      });
    case 'process':
      return processRunner(limits, launcher);
    case 'docker':
      if (docker) return docker;
      throw new AppError('unavailable', `no Docker engine answers at ${options.docker}`, {
        hint: 'Start it, give its socket by MYCLOUD_DOCKER=unix:///…, or set MYCLOUD_RUNNER=auto.',
      });
    case 'slurm':
      throw withoutSlurm();
  }
}

/** On a login node nothing but Slurm runs jobs, whatever else is installed there. */
async function slurmRunners(options: RunnerOptions, slurm: SlurmRunner): Promise<Runners> {
  await slurm.open();
  const docker = dockerRunner(options);
  const { limits, launcher } = options;
  return {
    main: slurm,
    slurm,
    images: false,
    imagesMetadata: null,
    for: ({ name, image, interpreter }) => {
      if (!image || interpreter) return slurm;
      throw new EnvironmentError(
        `${name} is a container image, and this worker runs jobs by Slurm, without images`,
      );
    },
    named: (name) => named(name, { docker, slurm, limits, launcher, walls: wallsOf(options) }),
    sweep: (keep) => slurm.sweep(keep),
  };
}

function named(
  name: RunnerName,
  {
    docker,
    slurm,
    limits,
    launcher,
    walls,
  }: Pick<RunnerOptions, 'slurm' | 'limits' | 'launcher'> & { docker: Runner; walls: Walls },
): Runner {
  switch (name) {
    case 'docker':
      return docker;
    case 'bubblewrap':
      return bubblewrapRunner(limits, launcher, walls);
    case 'process':
      return processRunner(limits, launcher);
    case 'slurm':
      if (slurm) return slurm;
      throw withoutSlurm();
  }
}

const withoutSlurm = (): AppError =>
  new AppError('unavailable', 'jobs of Slurm are looked after by a worker, and by nothing else');

function runnerFor(
  { name, image, interpreter }: Environment,
  main: Runner,
  docker: DockerRunner | null,
): Runner {
  if (image && docker) return docker;
  if (image && !interpreter) {
    throw new EnvironmentError(`${name} is a container image, and no Docker engine answers on this worker`);
  }
  if (main.name !== 'docker') return main;
  throw new EnvironmentError(
    `${name} has no image, and this worker runs images only; run it by --env image:NAME, or set MYCLOUD_RUNNER=auto there`,
  );
}
