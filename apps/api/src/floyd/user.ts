import { floydRoutes as contract } from '@mycloud/shared';
import type { FastifyInstance } from 'fastify';
import { serve } from '../http/route.js';

/** The last version there was, and the first one that is understood. */
const versions = { latest_version: '0.11.17', min_version: '0.10.0' };

export function userRoutes(app: FastifyInstance): void {
  serve(app, contract.version, () => versions);
  // Nobody has an address here; the client wants the key.
  serve(app, contract.user, ({ caller }) => ({
    uid: caller.userId,
    username: caller.name,
    email: '',
    type: caller.role,
  }));
}
