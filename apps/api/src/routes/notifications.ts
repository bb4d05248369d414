import { notificationRoutes as contract } from '@mycloud/shared';
import type { FastifyInstance } from 'fastify';
import type { Deps } from '../deps.js';
import { serve } from '../http/route.js';
import { addChannel, enableChannel, listChannels, removeChannel } from '../notifications/channels.js';
import { findDelivery, listDeliveries, sendTest } from '../notifications/deliveries.js';
import { signingSecret } from '../notifications/secret.js';

export function notificationRoutes(app: FastifyInstance, deps: Deps): void {
  serve(app, contract.channels, async ({ caller }) => ({ items: await listChannels(deps, caller) }));
  serve(app, contract.addChannel, ({ body, caller }) => addChannel(deps, caller, body));
  serve(app, contract.removeChannel, ({ params, caller }) => removeChannel(deps, caller, params.id));
  serve(app, contract.enableChannel, ({ params, caller }) => enableChannel(deps, caller, params.id));
  serve(app, contract.test, ({ body, caller }) => sendTest(deps, caller, body.address));
  serve(app, contract.deliveries, ({ query, caller }) => listDeliveries(deps, caller, query));
  serve(app, contract.delivery, ({ params, caller }) => findDelivery(deps, caller, params.id));
  serve(app, contract.secret, async ({ body, caller }) => ({
    secret: await signingSecret(deps, caller.userId, body.address, body.rotate),
  }));
}
