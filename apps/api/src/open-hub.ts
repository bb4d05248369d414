import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Logger } from 'pino';
import type { Hub, Signal } from './hub.js';

const channel = 'mycloud';
/** NOTIFY takes payloads of less than 8,000 bytes. */
const maxPayload = 7_900;
const maxProgress = 2_000;

/** Listens on a connection of its own and makes it again when it breaks; publishes over the pool. */
export async function openHub(databaseUrl: string, pool: pg.Pool, log: Logger): Promise<Hub> {
  const listeners = new Set<(signal: Signal) => void>();
  const gapListeners = new Set<() => void>();
  let closed = false;
  let client: pg.Client | undefined;

  const connect = async (): Promise<void> => {
    const fresh = new pg.Client({ connectionString: databaseUrl, keepAlive: true });
    fresh.on('notification', ({ payload }) => {
      const signal = JSON.parse(payload ?? '') as Signal;
      for (const listener of [...listeners]) listener(signal);
    });
    fresh.on('error', (error) => {
      log.warn({ err: error }, 'the connection that hears of changes broke');
      if (client === fresh) void reconnect();
    });
    fresh.on('end', () => {
      if (client === fresh) void reconnect();
    });
    await fresh.connect();
    await fresh.query(`LISTEN ${channel}`);
    client = fresh;
  };

  const reconnect = async (): Promise<void> => {
    client = undefined;
    while (!closed) {
      await sleep(200);
      try {
        await connect();
        for (const listener of [...gapListeners]) listener();
        return;
      } catch (error) {
        log.debug({ err: error }, 'no connection yet');
      }
    }
  };

  await connect();
  return {
    async publish(signal) {
      const cut =
        signal.type === 'progress' ? { ...signal, text: signal.text.slice(0, maxProgress) } : signal;
      const payload = JSON.stringify(cut);
      if (Buffer.byteLength(payload) > maxPayload) return;
      // What is published is a hint: the database holds the truth, and whoever missed it looks again.
      await pool.query('SELECT pg_notify($1, $2)', [channel, payload]).catch((error: Error) => {
        log.warn({ err: error, type: signal.type }, 'a signal was lost');
      });
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onGap(listener) {
      gapListeners.add(listener);
      return () => gapListeners.delete(listener);
    },
    async close() {
      closed = true;
      const last = client;
      client = undefined;
      await last?.end();
    },
  };
}
