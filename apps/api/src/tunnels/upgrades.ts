import { type IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '@mycloud/shared';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type WebSocket, WebSocketServer } from 'ws';
import { endedBy, type Principal } from '../http/principal.js';
import type { Hub } from '../hub.js';

/** A peer that answers no ping for this long is gone, whatever TCP says. */
const pingMs = 15_000;
/** What one message may hold. */
const maxMessage = 16 * 1024 * 1024;

/** WebSocket's close code for a server that restarts: who is told so connects again. */
const serviceRestart = 1012;
/** A peer that doesn't answer the close is cut off after this. */
const closeMs = 1000;

interface Upgrade {
  socket: Duplex;
  head: Buffer;
}

/** Lets routes take connections over: as WebSockets, or as they are. */
export interface Upgrades {
  /** The connection behind a request that asks for an upgrade; undefined for any other. */
  of(request: FastifyRequest): Upgrade | undefined;
  /** Answers with a WebSocket. @throws AppError bad_request for a request that asks for none */
  accept(request: FastifyRequest, reply: FastifyReply): Promise<WebSocket>;
  /** Ends with the app a connection that a route has taken over. */
  keep(socket: Duplex): void;
}

/**
 * A request for an upgrade goes through the routes and their checks as any other; a refusal is an ordinary answer. What a
 * login opened ends with it.
 */
export function openUpgrades(app: FastifyInstance, hub: Hub): Upgrades {
  const asked = new WeakMap<IncomingMessage, Upgrade>();
  const open = new Map<Duplex, Principal | undefined>();
  const sockets = new Set<WebSocket>();
  hub.subscribe((signal) => {
    for (const [socket, caller] of open) if (endedBy(signal, caller)) socket.destroy();
  });
  const server = new WebSocketServer({ noServer: true, maxPayload: maxMessage, perMessageDeflate: false });

  const keep = (socket: Duplex, caller?: Principal) => {
    open.set(socket, caller);
    socket.once('close', () => open.delete(socket));
  };
  app.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // A connection that breaks is told to whoever has taken it over.
    socket.on('error', () => socket.destroy());
    if (request.headers.upgrade?.toLowerCase() !== 'websocket') return again(request, socket, head);
    asked.set(request, { socket, head });
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket as Parameters<typeof response.assignSocket>[0]);
    response.once('finish', () => socket.end());
    app.routing(request, response);
  });
  /** An offer of another protocol, such as HTTP/2, is passed over: the request is read anew without it. */
  const again = ({ method, url, rawHeaders }: IncomingMessage, socket: Duplex, head: Buffer) => {
    const lines = rawHeaders.flatMap((name, i) => {
      const left = /^(connection|upgrade|http2-settings)$/i.test(name);
      return i % 2 === 1 || left ? [] : [`${name}: ${rawHeaders[i + 1]}`];
    });
    socket.unshift(head);
    socket.unshift(Buffer.from(`${method} ${url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`, 'latin1'));
    app.server.emit('connection', socket);
  };
  app.addHook('preClose', async () => {
    for (const socket of sockets) socket.close(serviceRestart, 'this server closes; connect again');
    await Promise.race([Promise.all([...sockets].map(closed)), sleep(closeMs, undefined, { ref: false })]);
    for (const socket of open.keys()) socket.destroy();
  });

  return {
    of: ({ raw }) => asked.get(raw),
    keep,
    accept: (request, reply) => {
      const upgrade = asked.get(request.raw);
      if (!upgrade) {
        throw new AppError('bad_request', 'this address speaks WebSocket', {
          hint: 'Send `Upgrade: websocket`.',
        });
      }
      reply.hijack();
      reply.raw.detachSocket(upgrade.socket as Parameters<typeof reply.raw.detachSocket>[0]);
      return new Promise((resolve) => {
        server.handleUpgrade(request.raw, upgrade.socket, upgrade.head, (socket) => {
          keep(upgrade.socket, request.principal);
          sockets.add(socket);
          socket.once('close', () => sockets.delete(socket));
          keepAlive(socket);
          resolve(socket);
        });
      });
    },
  };
}

const closed = (socket: WebSocket): Promise<void> =>
  new Promise((resolve) => socket.once('close', () => resolve()));

/** Pings, so that a peer whose machine is gone is noticed, and proxies see life. */
function keepAlive(socket: WebSocket): void {
  let answered = true;
  socket.on('pong', () => {
    answered = true;
  });
  // What breaks ends as closed.
  socket.on('error', () => socket.terminate());
  const timer = setInterval(() => {
    if (!answered) return socket.terminate();
    answered = false;
    socket.ping();
  }, pingMs);
  socket.once('close', () => clearInterval(timer));
}
