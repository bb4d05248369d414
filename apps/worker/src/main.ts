import { AppError, version } from '@mycloud/shared';
import { openLog, openTracing, serveMetrics } from '@mycloud/telemetry';
import { buildDeps } from './build-deps.js';
import { readConfig } from './config.js';
import { limitsText } from './limits/limits.js';
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
}

main().catch((error: unknown) => {
  const hint = error instanceof AppError && error.hint ? `\n${error.hint}` : '';
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}${hint}\n`);
  process.exit(1);
});
