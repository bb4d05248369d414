import { once } from 'node:events';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { endedBy, type Principal } from '../http/principal.js';
import type { Hub } from '../hub.js';

/** A comment this often keeps proxies and clients from giving the stream up. */
const keepAliveMs = 10_000;
const reconnectMs = 500;

/** One response of server-sent events. */
export interface EventStream {
  /** Aborted when the client has gone or the server closes. */
  readonly gone: AbortSignal;
  /** Writes ready frames; resolves once the client can take more, so that a slow one costs no memory. */
  write(frames: string | Buffer): Promise<void>;
  end(): void;
}

/** One frame. A missing id leaves the client's last one as it is. */
export function frame(event: string | undefined, data: unknown, id?: string): string {
  const head = `${event ? `event: ${event}\n` : ''}${id ? `id: ${id}\n` : ''}`;
  return `${head}data: ${JSON.stringify(data)}\n\n`;
}

/**
 * Opens event streams of an app and ends them when it closes, which would wait for them for ever otherwise, and when the
 * login is over by which they were asked for. When it closes a follower is told to reconnect: an event `reconnect`, without an
 * id, so that its cursor stays.
 */
export function eventStreams(app: FastifyInstance, hub: Hub): (reply: FastifyReply) => EventStream {
  const open = new Map<() => void, Principal | undefined>();
  hub.subscribe((signal) => {
    for (const [close, caller] of open) if (endedBy(signal, caller)) close();
  });
  app.addHook('preClose', async () => {
    for (const close of open.keys()) close();
  });
  return (reply) => {
    const response = reply.raw;
    const gone = new AbortController();
    reply.hijack();
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    });
    response.write(': open\n\n');
    const timer = setInterval(() => {
      if (!response.writableNeedDrain) response.write(': alive\n\n');
    }, keepAliveMs);
    const end = () => response.end();
    // Another api may be asked at once, and this one when it is back.
    const leave = () => response.end(`retry: ${reconnectMs}\nevent: reconnect\ndata: {}\n\n`);
    open.set(leave, reply.request.principal);
    const closed = () => {
      clearInterval(timer);
      open.delete(leave);
      gone.abort();
    };
    response.once('close', closed);
    response.once('error', closed);
    return {
      gone: gone.signal,
      async write(frames) {
        if (response.writableEnded || response.destroyed || response.write(frames)) return;
        await once(response, 'drain', { signal: gone.signal }).catch((error: Error) => {
          if (!gone.signal.aborted) throw error;
        });
      },
      end,
    };
  };
}
