import { connect, type Socket } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { createWebSocketStream, type WebSocket } from 'ws';
import type { RunningJob } from '../running-job.js';

const connectMs = 5000;

/** A connection to the port a job was told to listen on; null while nothing listens. */
export async function connectPort(running: RunningJob): Promise<Socket | null> {
  const port = await running.port();
  if (port === null) return null;
  return new Promise((resolve) => {
    // By name, since a server may listen on one of both families alone.
    const socket = connect({ host: 'localhost', port, autoSelectFamily: true });
    const fail = (): void => {
      socket.destroy();
      resolve(null);
    };
    socket.setTimeout(connectMs, fail);
    socket.once('error', fail);
    socket.once('connect', () => {
      socket.off('error', fail);
      socket.setTimeout(0);
      socket.setNoDelay(true);
      resolve(socket);
    });
  });
}

/** Hands bytes from one to the other until both sides have ended, or one broke. */
export async function servePort(socket: WebSocket, port: Socket): Promise<void> {
  const stream = createWebSocketStream(socket);
  // What breaks one breaks the other, which is all there is to say: whoever asked sees it.
  await pipeline(stream, port, stream).catch(() => undefined);
  port.destroy();
}
