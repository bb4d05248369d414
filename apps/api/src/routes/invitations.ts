import { AppError, invitationRoutes as contract } from '@mycloud/shared';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { noteAudit } from '../audit/record.js';
import type { Deps } from '../deps.js';
import { serve } from '../http/route.js';
import {
  acceptInvitation,
  createInvitation,
  listInvitations,
  lookAtInvitation,
  revokeInvitation,
} from '../invitations/invitations.js';
import { viewUser } from './users.js';

export function invitationRoutes(app: FastifyInstance, deps: Deps): void {
  const limit = app.createRateLimit({
    max: 20,
    timeWindow: 60_000,
    keyGenerator: (request) => `invitation ${request.ip}`,
  });
  /** Secrets can't be guessed; but each try costs a hash of a password. */
  const requireTry = async (request: FastifyRequest) => {
    const state = await limit(request);
    if (state.isAllowed || !state.isExceeded) return;
    throw new AppError('too_many_requests', 'too many tries', { hint: 'Wait a minute, then try again.' });
  };

  serve(app, contract.list, async () => ({ items: await listInvitations(deps) }));
  serve(app, contract.create, ({ body, caller }) => createInvitation(deps, caller, body));
  serve(app, contract.revoke, ({ params }) => revokeInvitation(deps, params.id));
  serve(app, contract.look, async ({ body, request }) => {
    await requireTry(request);
    return lookAtInvitation(deps, body.secret);
  });
  serve(app, contract.accept, async ({ body, request }) => {
    await requireTry(request);
    const user = await acceptInvitation(deps, body);
    noteAudit(request, { user, via: 'invitation' });
    return viewUser(user);
  });
}
