import { randomBytes } from 'node:crypto';
import { AppError, type Dial, type TunnelRefusal } from '@mycloud/shared';
import type { WebSocket } from 'ws';
import type { Deps } from '../deps.js';
import type { WorkerPrincipal } from '../http/principal.js';
import { one } from '../jobs/sql.js';

/** A worker that hasn't dialled by then doesn't. */
const answerMs = 15_000;

/** A running attempt and who holds it. */
export interface HeldAttempt {
  jobId: string;
  attempt: number;
  workerId: string;
  worker: string;
}

interface Waiting {
  workerId: string;
  resolve(socket: WebSocket): void;
  reject(error: AppError): void;
}

/**
 * Connections to running jobs. A worker may be where nobody can call it, so it is told to dial. What waits here is of this
 * api's own callers; a worker that dials another api is handed on by it (relay.ts).
 */
export class Tunnels {
  private readonly waiting = new Map<string, Waiting>();

  constructor(private readonly deps: Deps) {}

  /** A WebSocket to the attempt. @throws AppError unavailable, whose details.why is a TunnelRefusal where the worker said it */
  async open(held: HeldAttempt, to: Dial['to'], signal?: AbortSignal): Promise<WebSocket> {
    const { jobId, attempt, workerId } = held;
    const tunnelId = randomBytes(24).toString('base64url');
    let timer: NodeJS.Timeout | undefined;
    let onAbort: (() => void) | undefined;
    try {
      return await new Promise<WebSocket>((resolve, reject) => {
        this.waiting.set(tunnelId, { workerId, resolve, reject });
        timer = setTimeout(() => reject(silent(held)), answerMs);
        onAbort = () => reject(new AppError('unavailable', 'whoever asked has gone'));
        signal?.addEventListener('abort', onAbort);
        const dial: Dial = { jobId, attempt, to, tunnelId };
        void this.deps.hub.publish({
          type: 'dial',
          workerId,
          dial,
          api: this.deps.config.advertiseUrl ?? null,
        });
      });
    } finally {
      clearTimeout(timer);
      if (onAbort) signal?.removeEventListener('abort', onAbort);
      this.waiting.delete(tunnelId);
    }
  }

  /** Whether it is this api that waits. */
  waitsFor(tunnelId: string): boolean {
    return this.waiting.has(tunnelId);
  }

  /** Whether it is that worker's token that this api waits for. @throws AppError not_found */
  async expected(caller: WorkerPrincipal, tunnelId: string): Promise<void> {
    const waiting = this.waiting.get(tunnelId);
    const worker =
      waiting &&
      (await one(this.deps.pool, 'SELECT 1 FROM "Worker" w WHERE id = $1 AND mycloud_speaks_for($2, w)', [
        waiting.workerId,
        caller.tokenId,
      ]));
    if (worker) return;
    throw new AppError('not_found', 'nobody waits here for this connection, or not any more');
  }

  /** Hands a worker's connection to whoever waits for it; one that came too late is closed. */
  arrived(tunnelId: string, socket: WebSocket): void {
    const waiting = this.waiting.get(tunnelId);
    if (waiting) waiting.resolve(socket);
    else socket.close();
  }

  refused(tunnelId: string, why: TunnelRefusal, detail: string): void {
    this.waiting
      .get(tunnelId)
      ?.reject(
        new AppError('unavailable', detail || 'the worker could not reach the job', { details: { why } }),
      );
  }
}

const silent = ({ worker }: HeldAttempt): AppError =>
  new AppError('unavailable', `its worker ${worker} did not answer`, {
    hint: 'It may be away, or of an older version. Try again in a moment.',
  });
