import { auditRoutes as contract } from '@mycloud/shared';
import type { FastifyInstance } from 'fastify';
import { listAudit } from '../audit/list.js';
import type { Deps } from '../deps.js';
import { serve } from '../http/route.js';

export function auditRoutes(app: FastifyInstance, deps: Deps): void {
  serve(app, contract.list, ({ query }) => listAudit(deps, query));
}
