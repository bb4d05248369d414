import { type IncomingMessage, type OutgoingHttpHeaders, request as send } from 'node:http';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { AppError } from '@mycloud/shared';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { HeldAttempt } from '../tunnels/tunnels.js';
import type { Upgrades } from '../tunnels/upgrades.js';
import type { Ports } from './ports.js';
import { fromJob, towardsJob } from './sandbox.js';

/** How one mode's requests and answers are changed on their way. */
export interface Way {
  held: HeldAttempt;
  /** As the job is asked: `/predict?x=1` */
  path: string;
  /** Where the job's own root is for its callers, without a slash at its end. */
  prefix: string;
  headers: OutgoingHttpHeaders;
  /** An address of the job's as its callers reach it. */
  location(address: string): string;
  /** How an answer of this content type is changed; undefined: it streams as it is. */
  change?: (type: string) => ((text: string) => string) | undefined;
}

interface Connections {
  ports: Ports;
  upgrades: Upgrades;
}

/** Hands a request on to a job, body and answer as they stream, or its WebSocket. @throws AppError unavailable when it doesn't answer */
export async function forward(
  connections: Connections,
  way: Way,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const headers = {
    ...towardsJob(request.headers),
    'x-forwarded-for': request.ip,
    'x-forwarded-host': request.host,
    'x-forwarded-proto': request.protocol,
    'x-forwarded-prefix': way.prefix,
    ...way.headers,
  };
  const upgrade = connections.upgrades.of(request);
  if (upgrade) return forwardUpgrade(connections, way, headers, upgrade, request, reply);
  const answer = await ask(connections.ports, way, headers, request, reply);
  await answerWith(answer, way, request, reply);
  return reply;
}

const repeatable = new Set(['GET', 'HEAD', 'OPTIONS']);

async function ask(
  ports: Ports,
  way: Way,
  headers: OutgoingHttpHeaders,
  { raw }: FastifyRequest,
  reply: FastifyReply,
): Promise<IncomingMessage> {
  const { method = 'GET' } = raw;
  const hasBody =
    raw.headers['content-length'] !== undefined || raw.headers['transfer-encoding'] !== undefined;
  const once = (agent = ports.agent(way.held)) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const sent = send({ agent, method, path: way.path, headers }, resolve);
      sent.once('error', (error) => reject(Object.assign(error, { reused: sent.reusedSocket })));
      reply.raw.once('close', () => {
        // A connection whose answer is read to its end is kept.
        if (!reply.raw.writableFinished) sent.destroy();
      });
      if (hasBody) raw.pipe(sent);
      else sent.end();
    });
  try {
    return await once().catch((error: Error & { reused?: boolean }) => {
      // A kept connection that the job closed in that very moment.
      if (error.reused && !hasBody && repeatable.has(method)) return once();
      throw error;
    });
  } catch (error) {
    throw noAnswer(error);
  }
}

async function answerWith(
  answer: IncomingMessage,
  way: Way,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<void> {
  const headers = fromJob(answer.headers, request.headers.origin);
  if (answer.headers.location) headers.location = way.location(answer.headers.location);
  const { raw } = reply;
  raw.once('close', () => answer.destroy());
  const change = way.change?.(answer.headers['content-type'] ?? '');
  if (change && !answer.headers['content-encoding']) {
    const changed = change(await text(answer));
    delete headers['content-length'];
    delete headers.etag;
    reply.hijack();
    raw.writeHead(answer.statusCode ?? 502, headers).end(changed);
    return;
  }
  reply.hijack();
  raw.writeHead(answer.statusCode ?? 502, headers);
  // An answer that breaks off is seen as such by its caller.
  await pipeline(answer, raw).catch(() => raw.destroy());
}

async function forwardUpgrade(
  { ports, upgrades }: Connections,
  way: Way,
  headers: OutgoingHttpHeaders,
  { socket, head }: NonNullable<ReturnType<Upgrades['of']>>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const tunnel = await ports.open(way.held);
  socket.once('close', () => tunnel.destroy());
  const { upgrade } = request.headers;
  const sent = send({
    createConnection: () => tunnel as never,
    path: way.path,
    headers: { ...headers, connection: 'Upgrade', upgrade },
  });
  const outcome = await new Promise<{ answer: IncomingMessage; first?: Buffer }>((resolve, reject) => {
    sent.once('upgrade', (answer, _, first) => resolve({ answer, first }));
    sent.once('response', (answer) => resolve({ answer }));
    sent.once('error', reject);
    sent.end();
  }).catch((error: unknown) => {
    throw noAnswer(error);
  });
  const { answer, first } = outcome;
  if (!first) {
    await answerWith(answer, way, request, reply);
    return reply;
  }
  reply.hijack();
  reply.raw.detachSocket(socket as Parameters<typeof reply.raw.detachSocket>[0]);
  upgrades.keep(socket);
  const lines = Object.entries(fromJob(answer.headers, request.headers.origin)).flatMap(([name, value]) =>
    [value].flat().map((one) => `${name}: ${one}`),
  );
  const opening = [
    'HTTP/1.1 101 Switching Protocols',
    'connection: Upgrade',
    `upgrade: ${upgrade}`,
    ...lines,
  ];
  socket.write(`${opening.join('\r\n')}\r\n\r\n`);
  if (first.length > 0) socket.write(first);
  if (head.length > 0) tunnel.write(head);
  // Either's end is the other's.
  void pipeline(socket, tunnel, socket).catch(() => {
    socket.destroy();
    tunnel.destroy();
  });
  return reply;
}

function noAnswer(error: unknown): AppError {
  if (error instanceof AppError) return error;
  return new AppError('unavailable', 'the job closed the connection without an answer', {
    cause: error,
    hint: 'Its log may tell why.',
  });
}
