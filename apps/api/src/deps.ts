import type { Tracing } from '@mycloud/telemetry';
import type pg from 'pg';
import type { Logger } from 'pino';
import type { Catalogue } from './catalogue.js';
import type { Config } from './config.js';
import type { PrismaClient } from './generated/prisma/client.js';
import type { Outgoing } from './http/outgoing.js';
import type { Hub } from './hub.js';
import type { TicketQueue } from './queue/tickets.js';
import type { Readiness } from './readiness.js';
import type { Store } from './store/store.js';
import type { ApiMetrics } from './telemetry/metrics.js';

/** Everything a route or a loop needs, made in main.ts and handed down. */
export interface Deps {
  config: Config;
  log: Logger;
  /** The truth, through Prisma. */
  db: PrismaClient;
  /** The same connections, for SQL that Prisma has no words for (SKIP LOCKED, bulk inserts). */
  pool: pg.Pool;
  store: Store;
  tickets: TicketQueue;
  /** What happens in one api is heard in all (LISTEN/NOTIFY). */
  hub: Hub;
  catalogue: Catalogue;
  /** Told by /ready; main.ts takes it back first when it closes. */
  readiness: Readiness;
  metrics: ApiMetrics;
  tracing: Tracing;
  /** Calls URLs that users gave, where the server may. */
  outgoing: Outgoing;
}
