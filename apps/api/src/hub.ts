import { randomUUID } from 'node:crypto';
import type { Dial } from '@mycloud/shared';
import pg from 'pg';
import type { Logger } from 'pino';
import type { Config } from './config.js';
import { prepared } from './jobs/sql.js';
import type { StoredLine } from './logs/lines.js';

/** Lines that were just stored, for listeners in the same api: the others read them from the database. */
export interface StoredBatch {
  firstSeq: number;
  lines: StoredLine[];
}

/** Something that happened; ids only, the listener reads the rest from the database. */
export type Signal =
  | { type: 'job'; jobId: string }
  | { type: 'logs'; jobId: string; attempt: number; lastSeq: number; stored?: StoredBatch }
  | { type: 'progress'; jobId: string; attempt: number; text: string }
  | { type: 'metrics'; jobId: string }
  | { type: 'stop'; jobId: string; workerId: string }
  | { type: 'remove_environment'; workerId: string }
  | { type: 'wake'; machine: string }
  /** A schedule was made, changed or deleted. */
  | { type: 'schedule' }
  /** The outbox has something to send. */
  | { type: 'delivery' }
  /** An upload has come whole. */
  | { type: 'upload' }
  /** A worker is to connect to the api that says so, which the others reach at `api`; lost, it is asked again. */
  | { type: 'dial'; workerId: string; dial: Dial; api: string | null }
  /** A token or session, by its id, is good no more: nothing that is remembered of it holds, and its streams end. */
  | { type: 'login_over'; loginId: string }
  /** What this user may has changed; `less`: streams of his end, and are asked for anew. */
  | { type: 'user_changed'; userId: string; less: boolean }
  /** An admin took this worker away: its command stream ends. */
  | { type: 'worker_removed'; workerId: string };

/** What happens in one api is heard in all: Postgres LISTEN/NOTIFY on one connection, listened to by topic. */
export interface Hub {
  /** Tells every api, this one too. Payloads over 7,900 bytes are cut (progress text) before they are sent. Never fails. */
  publish(signal: Signal): Promise<void>;
  /** @returns ends the subscription */
  subscribe(listener: (signal: Signal) => void): () => void;
  /** Called after the connection was lost and made again: signals may have been missed, so listeners look for themselves. */
  onGap(listener: () => void): () => void;
  close(): Promise<void>;
}

const channel = 'mycloud';
const maxPayloadBytes = 7900;
/** Signals kept while the connection is away; those that listen find out by themselves after a gap. */
const maxPending = 10_000;
const maxBatch = 500;
const longestWaitMs = 2000;

/** Opens the hub; a connection that is lost is made again for as long as it takes. */
export async function openHub(config: Pick<Config, 'databaseUrl'>, log: Logger): Promise<Hub> {
  const hub = new PostgresHub(config.databaseUrl, log);
  await hub.connect();
  return hub;
}

class PostgresHub implements Hub {
  /** This api's own signals come back to it and are recognised by this. */
  private readonly origin = randomUUID();
  private readonly listeners = new Set<(signal: Signal) => void>();
  private readonly gapListeners = new Set<() => void>();
  private client: pg.Client | undefined;
  private pending: string[] = [];
  private sending: Promise<void> | undefined;
  private retry: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(
    private readonly url: string,
    private readonly log: Logger,
  ) {}

  async connect(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.url,
      keepAlive: true,
      connectionTimeoutMillis: 5000,
      application_name: 'mycloud-hub',
      // A signal that a crash of the database loses is one that a gap loses.
      options: '-c synchronous_commit=off',
    });
    client.on('error', (error) => this.lost(client, error));
    client.on('end', () => this.lost(client));
    client.on('notification', ({ payload }) => this.heard(payload ?? ''));
    await client.connect();
    await client.query(`LISTEN ${channel}`);
    this.client = client;
  }

  async publish(signal: Signal): Promise<void> {
    // Told here at once: it needs no database to reach this api's own listeners.
    this.tell(signal);
    if (this.pending.length >= maxPending) this.pending.shift();
    this.pending.push(encode(this.origin, signal));
    await this.flush();
  }

  subscribe(listener: (signal: Signal) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  onGap(listener: () => void): () => void {
    this.gapListeners.add(listener);
    return () => this.gapListeners.delete(listener);
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.retry);
    await this.sending;
    const { client } = this;
    this.client = undefined;
    await client?.end();
  }

  /** Sends what is pending, many signals in one statement while another is under way. */
  private flush(): Promise<void> {
    this.sending ??= this.sendAll().finally(() => {
      this.sending = undefined;
    });
    return this.sending;
  }

  private async sendAll(): Promise<void> {
    while (this.client && this.pending.length > 0) {
      const batch = this.pending.splice(0, maxBatch);
      try {
        await this.client.query(
          prepared('SELECT pg_notify($1, payload) FROM unnest($2::text[]) payload', [channel, batch]),
        );
      } catch (error) {
        this.pending.unshift(...batch);
        this.log.warn({ err: error }, 'signals to the other apis wait for the database');
        return;
      }
    }
  }

  private heard(payload: string): void {
    const { origin, signal } = JSON.parse(payload) as { origin: string; signal: Signal };
    if (origin !== this.origin) this.tell(signal);
  }

  private tell(signal: Signal): void {
    for (const listener of [...this.listeners]) {
      try {
        listener(signal);
      } catch (error) {
        this.log.error({ err: error, signal: signal.type }, 'a listener of the hub failed');
      }
    }
  }

  private lost(client: pg.Client, error?: Error): void {
    if (this.closed || this.client !== client) return;
    this.client = undefined;
    this.log.warn({ err: error }, 'the connection for signals was lost');
    this.again(50);
  }

  private again(ms: number): void {
    this.retry = setTimeout(async () => {
      try {
        await this.connect();
      } catch {
        // Expected while the database is away; its loss was logged.
        if (!this.closed) this.again(Math.min(ms * 2, longestWaitMs));
        return;
      }
      if (this.closed) return this.close();
      this.log.info('signals between apis flow again');
      for (const listener of [...this.gapListeners]) listener();
      await this.flush();
    }, ms);
  }
}

function encode(origin: string, told: Signal): string {
  const signal: Signal = told.type === 'logs' ? { ...told, stored: undefined } : told;
  let payload = JSON.stringify({ origin, signal });
  if (signal.type !== 'progress') return payload;
  for (let { text } = signal; Buffer.byteLength(payload) > maxPayloadBytes; ) {
    text = text.slice(0, Math.floor((text.length * maxPayloadBytes) / Buffer.byteLength(payload)) - 1);
    payload = JSON.stringify({ origin, signal: { ...signal, text } });
  }
  return payload;
}
