import { AppError, type Environment } from '@mycloud/shared';
import { EnvironmentError } from '../environments/environment.js';
import type { Limits } from '../limits/limits.js';
import { bubblewrapRunner, bubblewrapWorks } from './bubblewrap.js';
import { type DockerRunner, dockerRunner } from './docker.js';
import type { Launcher } from './launcher.js';
import { processRunner } from './process.js';
import type { Runner } from './runner.js';

export interface RunnerOptions {
  wanted: 'auto' | 'bubblewrap' | 'process' | 'docker';
  /** Address of an engine that speaks Docker's API, or `off`. */
  docker: string;
  network: string;
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

/** The runners of a worker: one for plain environments, and Docker for those that are images. */
export interface Runners {
  /** The one of plain environments. */
  readonly main: Runner;
  /** Whether environments that are images run here. */
  readonly images: boolean;
  /** @throws EnvironmentError when this worker can't run it */
  for(environment: Environment): Runner;
  /** The one that started a job, whatever is configured now. */
  named(name: Runner['name']): Runner;
  /** Removes containers of this worker whose executions aren't named. */
  sweep(keep: ReadonlySet<string>): Promise<void>;
}

/** The named runner, or the best that works here. @throws AppError unavailable when the named one doesn't. */
export async function chooseRunners(options: RunnerOptions): Promise<Runners> {
  const docker = dockerRunner(options);
  const [works, images] = await Promise.all([bubblewrapWorks(), docker.works()]);
  const { wanted, limits, launcher } = options;
  const walls = { hidden: hiddenFolders(options), network: options.bubblewrapNetwork ?? ('host' as const) };
  if (wanted === 'bubblewrap' && !works) {
    throw new AppError('unavailable', 'bubblewrap does not work on this machine', {
      hint: 'Install bubblewrap and allow user namespaces, or set MYCLOUD_RUNNER=process.',
    });
  }
  if (wanted === 'docker' && !images) {
    throw new AppError('unavailable', `no Docker engine answers at ${options.docker}`, {
      hint: 'Start it, give its socket by MYCLOUD_DOCKER=unix:///…, or set MYCLOUD_RUNNER=auto.',
    });
  }
  const plain =
    works && wanted !== 'process'
      ? bubblewrapRunner(limits, launcher, walls)
      : processRunner(limits, launcher);
  const main = wanted === 'docker' ? docker : plain;
  return {
    main,
    images,
    for: (environment) => runnerFor(environment, main, images ? docker : null),
    named: (name) =>
      ({
        docker,
        bubblewrap: bubblewrapRunner(limits, launcher, walls),
        process: processRunner(limits, launcher),
      })[name],
    sweep: async (keep) => {
      if (images) await docker.sweep(keep);
    },
  };
}

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
