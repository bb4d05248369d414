import { AppError, refusedExitCode, version } from '@mycloud/shared';
import { openLog, openTracing, serveMetrics } from '@mycloud/telemetry';
import { buildDeps } from './build-deps.js';
import { readConfig } from './config.js';
import { limitsText } from './limits/limits.js';
import { isRefused } from './retry.js';
import { startWorker } from './worker.js';

async function main(): Promise<void> {
  const config = readConfig(process.env);
  const log = openLog('worker', config.logLevel, { worker: config.name });
  const tracing = await openTracing('mycloud-worker', version, config.traces);
  const deps = await buildDeps(config, log, tracing);
  const metrics = config.metrics && (await serveMetrics(deps.metrics.registry, config.metrics));
  const worker = await startWorker(deps);
  log.info(
    {
      workerId: worker.workerId,
      name: config.name,
      runner: deps.runners.main.name,
      images: deps.runners.images,
      limits: limitsText(deps.runners.main.limits),
      metadata: deps.limits.metadata,
      imagesMetadata: deps.runners.imagesMetadata ?? undefined,
      machines: worker.machines.map((machine) => machine.name),
      metricsPort: metrics?.port,
    },
    'ready',
  );
  let stopping = false;
  const stop = (signal: string): void => {
    if (stopping) return;
    stopping = true;
    log.info({ signal }, 'stopping; running jobs go on');
    void worker
      .close()
      .then(() => metrics?.close())
      .then(() => tracing.close())
      .then(() => process.exit(0));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  const error = await worker.refused;
  if (stopping) return;
  stopping = true;
  log.warn({ err: error }, 'the server refuses this worker; its jobs were stopped');
  await worker.close();
  fail(error);
}

function fail(error: unknown): never {
  const hint = error instanceof AppError && error.hint ? `\n${error.hint}` : '';
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}${hint}\n`);
  process.exit(isRefused(error) ? refusedExitCode : 1);
}

main().catch(fail);
