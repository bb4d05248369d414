import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { AppError } from '@mycloud/shared';

/** Listens for a moment. @returns the port (the one asked for, or any free one for 0) @throws as listen does */
function tryPort(port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, host, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : port));
    });
  });
}

/**
 * The wanted port of this machine alone if it is free, otherwise another: rather one that the system gives to no outgoing
 * connection, which could have it before the program it is meant for.
 */
export async function freePort(wanted: number | undefined): Promise<number> {
  const chosen = Array.from({ length: 20 }, () => randomInt(20_000, 32_000));
  for (const port of wanted === undefined ? chosen : [wanted, ...chosen]) {
    const free = await tryPort(port, '127.0.0.1').catch(() => undefined);
    if (free !== undefined) return free;
  }
  return tryPort(0, '127.0.0.1');
}

/** @returns the port the server is going to listen on. @throws AppError conflict, forbidden or bad_request */
export async function serverPort(port: number, host: string): Promise<number> {
  try {
    return await tryPort(port, host);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') {
      throw new AppError('conflict', `port ${port} is taken by ${await holderOf(port, host)}`, {
        cause,
        hint: `Choose another port: mycloud up --port ${port + 1} (0 takes any free one).`,
      });
    }
    if (code === 'EACCES') {
      throw new AppError('forbidden', `you may not listen on port ${port}`, {
        cause,
        hint: 'Choose one above 1023 by --port.',
      });
    }
    if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') {
      throw new AppError('bad_request', `${host} is no address of this machine`, {
        cause,
        hint: 'Use --host 127.0.0.1 for this machine alone, or --host 0.0.0.0 for all who reach it.',
      });
    }
    throw cause;
  }
}

async function holderOf(port: number, host: string): Promise<string> {
  const there = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  try {
    const answer = await fetch(`http://${there}:${port}/health`, { signal: AbortSignal.timeout(1000) });
    const health = (await answer.json()) as { status?: unknown; version?: unknown };
    if (health.status === 'ok' && typeof health.version === 'string') return 'another mycloud server';
  } catch (error) {
    // Whoever holds it speaks no HTTP, or not in time.
    if (!(error instanceof Error)) throw error;
  }
  return `another program (\`lsof -i :${port}\` names it)`;
}
