import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { AppError, version } from '@mycloud/shared';
import { openLog, openTracing } from '@mycloud/telemetry';
import { buildApi } from './app.js';
import { readConfig } from './config.js';
import { listenAsFloydLocal } from './floyd/local.js';
import { startJobLoops } from './jobs/loops.js';
import { startDeliveries } from './notifications/loop.js';
import { openDeps } from './open-deps.js';
import { startSchedules } from './schedules/loop.js';
import { startUnpacking } from './uploads/loop.js';

/**
 * How far the heap may grow past what lives in it before it is tidied up. V8 by itself lets it grow to four times that: to half a
 * gigabyte while a million files come.
 */
const heapGrowingPercent = 60;

/**
 * Starts the api: opens what it needs in order, listens, and closes all of it in the reverse order on SIGTERM. Before that it
 * tells whoever asks that it leaves, and still serves for as long as a proxy needs to hear of it.
 */
async function main(): Promise<void> {
  setFlagsFromString(`--heap-growing-percent=${heapGrowingPercent}`);
  const config = readConfig(process.env);
  const log = openLog('api', config.logLevel);
  const closers: (() => Promise<unknown>)[] = [];
  let closing = false;
  let leave: (() => Promise<unknown>) | undefined;
  const close = async (code: number): Promise<never> => {
    if (!closing) {
      closing = true;
      await leave?.();
      for (const closer of closers.reverse()) {
        await closer().catch((error: unknown) => log.warn({ err: error }, 'closing'));
      }
    }
    process.exit(code);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => void close(0));

  try {
    const tracing = await openTracing('mycloud-api', version, config.traces);
    closers.push(() => tracing.close());
    const { deps, close: closeDeps } = await openDeps(config, log, tracing);
    closers.push(closeDeps);
    leave = async () => {
      deps.readiness.leave();
      log.info({ seconds: config.shutdownDelaySeconds }, 'leaving: not ready any more');
      await sleep(config.shutdownDelaySeconds * 1000);
    };
    const app = await buildApi(deps);
    closers.push(() => app.close());
    app.server.maxConnections = config.maxConnections;
    app.server.once('drop', () =>
      log.warn(
        `more than ${config.maxConnections} connections: further ones are closed (MYCLOUD_MAX_CONNECTIONS)`,
      ),
    );
    const url = await app.listen({ host: config.host, port: config.port });
    if (config.floydLocal) closers.push(await listenAsFloydLocal(app));
    const loops = startJobLoops(deps);
    closers.push(() => loops.close());
    const schedules = startSchedules(deps);
    closers.push(() => schedules.close());
    const deliveries = startDeliveries(deps);
    closers.push(() => deliveries.close());
    const unpacking = startUnpacking(deps);
    closers.push(() => unpacking.close());
    log.info({ url, port: Number(new URL(url).port) }, 'ready');
  } catch (error) {
    tell(error, config.port);
    await close(1);
  }
}

function tell(error: unknown, port?: number): void {
  if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') {
    process.stderr.write(
      `port ${port} is taken by another program; choose another by MYCLOUD_PORT or \`mycloud up --port\`\n`,
    );
    return;
  }
  if (!(error instanceof AppError)) {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    return;
  }
  process.stderr.write(`${error.message}\n`);
  for (const { path, message } of error.errors ?? []) process.stderr.write(`  ${path}: ${message}\n`);
  if (error.hint) process.stderr.write(`${error.hint}\n`);
}

try {
  await main();
} catch (error) {
  tell(error);
  process.exit(1);
}
