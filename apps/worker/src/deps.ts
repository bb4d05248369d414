import type { Client } from '@mycloud/shared';
import type { ContentCache } from '@mycloud/snapshots';
import type { Tracing } from '@mycloud/telemetry';
import type { Logger } from 'pino';
import type { Config } from './config.js';
import type { DiskGuard } from './disk/guard.js';
import type { Environments } from './environments/environment.js';
import type { GpuWatch } from './gpus/watch.js';
import type { ChosenLimits } from './limits/choose.js';
import type { Resources } from './resources.js';
import type { Runners } from './runners/choose.js';
import type { Launcher } from './runners/launcher.js';
import type { WorkerMetrics } from './telemetry.js';

/** What a worker is made of; main.ts makes them. */
export interface WorkerDeps {
  config: Config;
  client: Client;
  cache: ContentCache;
  runners: Runners;
  limits: ChosenLimits;
  launcher: Launcher;
  disk: DiskGuard;
  environments: Environments;
  resources: Resources;
  gpus: GpuWatch;
  log: Logger;
  metrics: WorkerMetrics;
  tracing: Tracing;
}
