import { Agent } from 'node:http';
import type { Duplex } from 'node:stream';
import { AppError } from '@mycloud/shared';
import { createWebSocketStream, type WebSocket } from 'ws';
import type { HeldAttempt, Tunnels } from '../tunnels/tunnels.js';

const maxConnections = 64;
const maxIdleConnections = 8;
/** Connections to a job that nobody asks for so long are closed. */
const idleMs = 60_000;

/** A connection to a job, with the words of a socket that Node's HTTP uses and that mean nothing here. */
function asSocket(socket: WebSocket): Duplex {
  const nothing = () => undefined;
  const words = {
    setKeepAlive: nothing,
    setNoDelay: nothing,
    setTimeout: nothing,
    ref: nothing,
    unref: nothing,
  };
  const stream = createWebSocketStream(socket);
  // A socket whose other side has ended is of no more use to HTTP.
  stream.once('end', () => stream.destroy());
  return Object.assign(stream, words, { timeout: 0 });
}

/** Node's pool of connections, each of which is a tunnel. */
class TunnelAgent extends Agent {
  usedAt = Date.now();

  constructor(private readonly open: () => Promise<Duplex>) {
    super({ keepAlive: true, maxSockets: maxConnections, maxFreeSockets: maxIdleConnections });
  }

  override keepSocketAlive(socket: Duplex): boolean {
    // The end of a connection that waits is noticed only by who reads it.
    socket.resume();
    return true;
  }

  override createConnection(_: unknown, done: (error: Error | null, socket: Duplex) => void): undefined {
    this.open().then(
      (socket) => done(null, socket),
      (error: Error) => done(error, undefined as never),
    );
  }
}

/** Connections to the ports of running jobs, some of which are kept for the next request. */
export class Ports {
  private readonly agents = new Map<string, TunnelAgent>();
  private readonly timer = setInterval(() => this.sweep(), idleMs / 2);

  constructor(private readonly tunnels: Tunnels) {}

  /** A new connection. @throws AppError unavailable */
  async open(held: HeldAttempt): Promise<Duplex> {
    return asSocket(await this.tunnels.open(held, 'port'));
  }

  /** Whether the job listens on its port. */
  async listens(held: HeldAttempt): Promise<boolean> {
    try {
      (await this.open(held)).destroy();
      return true;
    } catch (error) {
      if (isNotListening(error)) return false;
      throw error;
    }
  }

  /** Kept connections to it. */
  agent(held: HeldAttempt): Agent {
    const key = `${held.jobId}.${held.attempt}`;
    let agent = this.agents.get(key);
    if (!agent) {
      agent = new TunnelAgent(() => this.open(held));
      this.agents.set(key, agent);
    }
    agent.usedAt = Date.now();
    return agent;
  }

  close(): void {
    clearInterval(this.timer);
    for (const agent of this.agents.values()) agent.destroy();
  }

  private sweep(): void {
    for (const [key, agent] of this.agents) {
      if (Date.now() - agent.usedAt < idleMs || Object.keys(agent.sockets).length > 0) continue;
      agent.destroy();
      this.agents.delete(key);
    }
  }
}

/** Whether an error says that nothing listens on the job's port (yet). */
export const isNotListening = (error: unknown): boolean =>
  error instanceof AppError && error.details?.why === 'not_listening';
