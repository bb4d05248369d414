import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { createClient, version } from '@mycloud/shared';
import { openContentCache } from '@mycloud/snapshots';
import type { Logger } from 'pino';
import type { Config } from './config.js';
import type { WorkerDeps } from './deps.js';
import { DiskGuard } from './disk/guard.js';
import { openEnvironments } from './environments/open.js';
import { GpuWatch } from './gpus/watch.js';
import { chooseLimits } from './limits/choose.js';
import { findResources } from './resources.js';
import { chooseRunners, hiddenFolders } from './runners/choose.js';
import { openLauncher } from './runners/launcher.js';

/** Makes what a worker of this configuration needs. @throws AppError when its runner doesn't work here */
export async function buildDeps(config: Config, log: Logger): Promise<WorkerDeps> {
  await mkdir(config.home, { recursive: true, mode: 0o700 });
  const limits = await chooseLimits(config.limits, config.home);
  const launcher = openLauncher();
  const { home, docker, dockerNetwork: network } = config;
  const { serverHome, bubblewrapNetwork } = config;
  const runners = await chooseRunners({
    wanted: config.runner,
    docker,
    network,
    home,
    serverHome,
    bubblewrapNetwork,
    limits,
    launcher,
  });
  const [resources, cache, environments] = await Promise.all([
    findResources(),
    openContentCache(path.join(config.home, 'cache'), { maxBytes: config.cacheBytes }),
    openEnvironments({
      home,
      trainerBin: config.trainerBin,
      path: config.path,
      variables: config.buildVariables,
      maxBytes: config.environmentBytes,
      hidden: runners.main.name === 'bubblewrap' ? hiddenFolders(config) : undefined,
    }),
  ]);
  return {
    config,
    client: createClient({ url: config.url, token: config.token, agent: `mycloud-worker/${version}` }),
    cache,
    runners,
    limits,
    launcher,
    disk: new DiskGuard({
      home: config.home,
      jobBytes: config.jobDiskBytes,
      reserveBytes: config.diskReserveBytes,
      makeRoom: () => environments.makeRoom(),
      log,
    }),
    environments,
    resources,
    gpus: new GpuWatch(resources.gpus, config.gpuSeconds),
    log,
  };
}
