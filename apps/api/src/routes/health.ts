import { machineRoutes, version } from '@mycloud/shared';
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.js';
import { serve } from '../http/route.js';

/** 200 when the server can take jobs: its database answers and its store can take bytes. */
export function healthRoutes(app: FastifyInstance, deps: Deps): void {
  serve(app, machineRoutes.health, async () => {
    await deps.pool.query('SELECT 1');
    await deps.store.check();
    return { status: 'ok' as const, version };
  });
}
