import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, createClient, type RouteInput, workerRoutes } from '@mycloud/shared';
import type { FastifyRequest } from 'fastify';
import { WebSocket } from 'ws';
import type { Deps } from '../deps.js';
import { peerHeader } from '../peers/peers.js';

/** A worker dials within this time, or nobody waits for it any more. */
const rememberedMs = 20_000;
/** A worker may be quicker than what the apis tell each other. */
const hearMs = 2_000;
const lookMs = 50;

/**
 * Connections of workers that came to this api and are waited for in another. A worker knows one address, such as a proxy's
 * before all apis, and may reach no other: whichever api it comes to hands it on to the one that asked.
 */
export class Relay {
  private readonly asked = new Map<string, { api: string | null; at: number }>();

  constructor(deps: Pick<Deps, 'hub'>) {
    deps.hub.subscribe((signal) => {
      if (signal.type !== 'dial') return;
      const now = Date.now();
      // A map keeps the order of its making.
      for (const [id, { at }] of this.asked) {
        if (now - at < rememberedMs) break;
        this.asked.delete(id);
      }
      this.asked.set(signal.dial.tunnelId, { api: signal.api, at: now });
    });
  }

  /** A WebSocket to the api that waits, as the worker would open it. It says nothing before it is resumed. @throws AppError not_found */
  async open(request: FastifyRequest, tunnelId: string): Promise<WebSocket> {
    const api = await this.find(request, tunnelId);
    const path = workerRoutes.tunnel.path.replace(':tunnelId', encodeURIComponent(tunnelId));
    const socket = new WebSocket(api.replace(/^http/, 'ws') + path, {
      headers: handedOn(request),
      perMessageDeflate: false,
      handshakeTimeout: 10_000,
    });
    socket.once('open', () => socket.pause());
    try {
      await once(socket, 'open');
    } catch (cause) {
      throw new AppError('unavailable', 'the api that asked for this connection does not take it', { cause });
    }
    socket.on('error', () => socket.terminate());
    return socket;
  }

  /** Tells the api that waits why there is no connection. @throws AppError not_found */
  async refuse(
    request: FastifyRequest,
    tunnelId: string,
    body: RouteInput<typeof workerRoutes.refuseTunnel>['body'],
  ): Promise<void> {
    const client = createClient({ url: await this.find(request, tunnelId) });
    const input = { params: { tunnelId }, body };
    await client.call(workerRoutes.refuseTunnel, input, { headers: handedOn(request) });
  }

  /** The address of the api that waits. */
  private async find(request: FastifyRequest, tunnelId: string): Promise<string> {
    const until = Date.now() + hearMs;
    while (request.headers[peerHeader] === undefined) {
      const asked = this.asked.get(tunnelId);
      if (asked?.api) return asked.api.replace(/\/+$/, '');
      if (asked || Date.now() > until) break;
      await sleep(lookMs);
    }
    throw new AppError('not_found', 'nobody waits here for this connection, or not any more', {
      hint: 'With several apis each needs its own address in MYCLOUD_ADVERTISE_URL.',
    });
  }
}

/** It is the worker that asks there, too. */
const handedOn = ({ headers }: FastifyRequest): Record<string, string> => ({
  authorization: headers.authorization ?? '',
  [peerHeader]: 'tunnel',
});
