import { access, constants, mkdir } from 'node:fs/promises';
import { AppError } from '@mycloud/shared';
import { noTracing, type Tracing } from '@mycloud/telemetry';
import type { Logger } from 'pino';
import { bootstrap } from './bootstrap.js';
import { openCatalogue } from './catalogue.js';
import type { Config } from './config.js';
import { openDatabase, waitForDatabase } from './database/client.js';
import { databaseAway, isDatabaseAway } from './database/faults.js';
import { migrate } from './database/migrate.js';
import type { Deps } from './deps.js';
import { openOutgoing } from './http/outgoing.js';
import { openHub } from './hub.js';
import { openTickets } from './queue/tickets.js';
import { openReadiness } from './readiness.js';
import { openStore } from './store/open-store.js';
import { openApiMetrics } from './telemetry/metrics.js';

/** What the api stands on; close() ends it in the reverse order. */
export interface OpenDeps {
  deps: Deps;
  close(): Promise<void>;
}

/** Opens what the api stands on, in order: a migrated database, the store, the queue, the hub, the first users. */
export async function openDeps(config: Config, log: Logger, tracing: Tracing = noTracing): Promise<OpenDeps> {
  const catalogue = openCatalogue(config);
  const closers: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const closer of closers.splice(0).reverse()) {
      await closer().catch((error: unknown) => log.warn({ err: error }, 'closing'));
    }
  };
  try {
    await makeHome(config.home);
    const {
      db,
      pool,
      close: closeDatabase,
    } = openDatabase(config.databaseUrl, config.databaseConnections, log);
    closers.push(closeDatabase);
    await waitForDatabase(pool, 30);
    const applied = await migrate(pool);
    if (applied.length > 0) log.info({ applied }, 'the database was migrated');
    const store = await openStore(config);
    const tickets = await openTickets(config, log);
    closers.push(() => tickets.close());
    const hub = await openHub(config, log);
    closers.push(() => hub.close());
    const outgoing = openOutgoing(config.outgoingAllow);
    const machines = catalogue.machines.map((machine) => machine.name);
    const deps = {
      config,
      log,
      db,
      pool,
      store,
      tickets,
      hub,
      catalogue,
      outgoing,
      readiness: openReadiness(),
      metrics: openApiMetrics(pool, machines),
      tracing,
    };
    await bootstrap(deps);
    return { deps, close };
  } catch (error) {
    await close();
    throw isDatabaseAway(error) ? databaseAway(error) : error;
  }
}

/** @throws AppError unavailable for a folder that can't be made or written to */
async function makeHome(home: string): Promise<void> {
  try {
    await mkdir(home, { recursive: true });
    await access(home, constants.W_OK);
  } catch (cause) {
    throw new AppError('unavailable', `the server's folder ${home} can't be written to`, {
      cause,
      hint: 'Choose another by MYCLOUD_HOME, or mend its permissions.',
    });
  }
}
