import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { version } from '@mycloud/shared';
import { createNodeClient } from '@mycloud/shared/node';
import { openContentCache } from '@mycloud/snapshots';
import { noTracing, type Tracing } from '@mycloud/telemetry';
import type { Logger } from 'pino';
import type { Config } from './config.js';
import type { WorkerDeps } from './deps.js';
import { DiskGuard } from './disk/guard.js';
import { openEnvironments } from './environments/open.js';
import { GpuWatch } from './gpus/watch.js';
import { chooseLimits } from './limits/choose.js';
import { findResources } from './resources.js';
import { chooseRunners, hiddenFolders, wallsOf } from './runners/choose.js';
import { openLauncher } from './runners/launcher.js';
import { slurmRunner } from './runners/slurm.js';
import { callHeaders, openWorkerMetrics } from './telemetry.js';

/** Makes what a worker of this configuration needs. @throws AppError when its runner doesn't work here */
export async function buildDeps(
  config: Config,
  log: Logger,
  tracing: Tracing = noTracing,
): Promise<WorkerDeps> {
  await mkdir(config.home, { recursive: true, mode: 0o700 });
  const bySlurm = config.runner === 'slurm';
  // It holds its jobs to their limits itself, on its nodes.
  const limits = await chooseLimits(bySlurm ? 'none' : config.limits, config.home, config.jobsMetadata);
  const launcher = openLauncher();
  const { home, docker, dockerNetwork: network, jobsMetadata: metadata } = config;
  const slurm = slurmRunner({ ...config.slurm, home, walls: wallsOf(config), log });
  const { serverHome, bubblewrapNetwork } = config;
  const runners = await chooseRunners({
    wanted: config.runner,
    slurm,
    docker,
    network,
    metadata,
    home,
    serverHome,
    bubblewrapNetwork,
    limits,
    launcher,
  });
  const [found, cache, environments] = await Promise.all([
    findResources(),
    openContentCache(path.join(config.home, 'cache'), {
      maxBytes: config.cacheBytes,
      onChanged: (hash) =>
        log.warn({ snapshot: hash }, 'somebody changed an input kept here; fetching it anew'),
    }),
    openEnvironments({
      home,
      trainerBin: config.trainerBin,
      path: config.path,
      variables: config.buildVariables,
      maxBytes: config.environmentBytes,
      hidden: runners.main.name === 'bubblewrap' ? hiddenFolders(config) : undefined,
      group: limits.builds,
    }),
  ]);
  // GPUs of a login node are nobody's.
  const resources = bySlurm ? { ...found, gpus: [] } : found;
  return {
    config,
    client: createNodeClient({
      url: config.url,
      token: config.token,
      agent: `mycloud-worker/${version}`,
      headers: callHeaders,
    }),
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
    metrics: openWorkerMetrics(config.name, config.home),
    tracing,
  };
}
