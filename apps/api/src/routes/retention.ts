import { retentionRoutes as contract } from '@mycloud/shared';
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.js';
import { serve } from '../http/route.js';
import { readRetention, setRetention } from '../retention/settings.js';

export function retentionRoutes(app: FastifyInstance, deps: Deps): void {
  serve(app, contract.get, () => readRetention(deps));
  serve(app, contract.set, ({ body }) => setRetention(deps, body));
}
