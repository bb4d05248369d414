import { once } from 'node:events';
import { AppError, type Dial, type TunnelRefusal, workerRoutes } from '@mycloud/shared';
import { createNodeClient } from '@mycloud/shared/node';
import { WebSocket } from 'ws';
import type { WorkerDeps } from '../deps.js';
import { serveExec } from '../exec/serve-exec.js';
import type { RunningJob } from '../running-job.js';
import { connectPort, servePort } from './port.js';

/** An api that answers nothing for this long is gone; it pings each 15 s. */
const silenceMs = 45_000;

/** Connects apis that ask for it to the jobs that run here, by the server's address. */
export class Dialler {
  #open = new Map<WebSocket, Promise<void>>();
  #deps: Pick<WorkerDeps, 'config' | 'log'>;

  constructor(deps: Pick<WorkerDeps, 'config' | 'log'>) {
    this.#deps = deps;
  }

  /** Never fails: whoever asked is told why not, or stops waiting. */
  async dial(order: Dial, running: RunningJob | null): Promise<void> {
    try {
      if (!running) return await this.#refuse(order, 'not_running', 'the job does not run there any more');
      if (order.to === 'exec') {
        const socket = await this.#connect(order);
        return this.#hold(socket, serveExec(socket, running));
      }
      const port = await connectPort(running);
      if (!port) return await this.#refuse(order, 'not_listening', 'nothing listens on its port yet');
      const socket = await this.#connect(order).catch((error: unknown) => {
        port.destroy();
        throw error;
      });
      this.#hold(socket, servePort(socket, port));
    } catch (error) {
      this.#deps.log.warn({ err: error, jobId: order.jobId }, 'a connection to a job could not be made');
      const detail = error instanceof Error ? error.message : String(error);
      await this.#refuse(order, 'failed', detail).catch(() => undefined);
    }
  }

  /** Ends all, and waits until nothing of them is left. */
  async close(): Promise<void> {
    for (const socket of this.#open.keys()) socket.close();
    await Promise.all(this.#open.values());
  }

  #hold(socket: WebSocket, serving: Promise<void>): void {
    const done = serving
      .catch((error: unknown) => this.#deps.log.warn({ err: error }, 'a connection to a job broke'))
      .finally(() => {
        this.#open.delete(socket);
        socket.close();
      });
    this.#open.set(socket, done);
    socket.resume();
  }

  async #connect({ tunnelId }: Dial): Promise<WebSocket> {
    const { config } = this.#deps;
    const path = workerRoutes.tunnel.path.replace(':tunnelId', encodeURIComponent(tunnelId));
    const address = `${config.url.replace(/\/+$/, '').replace(/^http/, 'ws')}${path}`;
    const socket = new WebSocket(address, {
      headers: { authorization: `Bearer ${config.token}` },
      perMessageDeflate: false,
      handshakeTimeout: 10_000,
    });
    // What comes with the answer waits until it is listened to.
    socket.once('open', () => socket.pause());
    await once(socket, 'open');
    socket.on('error', () => socket.terminate());
    watchSilence(socket);
    return socket;
  }

  async #refuse({ tunnelId }: Dial, why: TunnelRefusal, detail: string): Promise<void> {
    const { config } = this.#deps;
    const client = createNodeClient({ url: config.url, token: config.token });
    await client
      .call(workerRoutes.refuseTunnel, { params: { tunnelId }, body: { why, detail: detail.slice(0, 1000) } })
      .catch((error: unknown) => {
        // Nobody waits for it any more.
        if (!(error instanceof AppError && error.code === 'not_found')) throw error;
      });
  }
}

function watchSilence(socket: WebSocket): void {
  const late = (): void => socket.terminate();
  let timer = setTimeout(late, silenceMs);
  socket.on('ping', () => {
    clearTimeout(timer);
    timer = setTimeout(late, silenceMs);
  });
  socket.once('close', () => clearTimeout(timer));
}
