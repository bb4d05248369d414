import { machineRoutes, operatingRoutes, version } from '@mycloud/shared';
import type { FastifyInstance } from 'fastify';
import { runChecks } from '../checks/checks.js';
import type { Deps } from '../deps.js';
import { serve } from '../http/route.js';
import { checkReady, checkStays } from '../readiness.js';

/** Health: 200 when the server can take jobs: its database answers and its store can take bytes. */
export function healthRoutes(app: FastifyInstance, deps: Deps): void {
  serve(app, machineRoutes.health, async () => {
    await deps.pool.query('SELECT 1');
    await deps.store.check();
    return { status: 'ok' as const, version };
  });

  serve(app, operatingRoutes.stays, async () => {
    checkStays(deps);
    return { status: 'stays' as const };
  });

  serve(app, operatingRoutes.ready, async () => ({
    status: 'ready' as const,
    checks: await checkReady(deps),
  }));

  serve(app, operatingRoutes.checks, async () => ({
    version,
    findings: await runChecks(deps),
    time: new Date().toISOString(),
  }));

  serve(app, operatingRoutes.metrics, async ({ reply }) => {
    reply.header('content-type', deps.metrics.registry.contentType);
    return deps.metrics.registry.metrics();
  });
}
