/** Something that happened; ids only, the listener reads the rest from the database. */
export type Signal =
  | { type: 'job'; jobId: string }
  | { type: 'logs'; jobId: string; attempt: number; lastSeq: number }
  | { type: 'progress'; jobId: string; attempt: number; text: string }
  | { type: 'stop'; jobId: string; workerId: string }
  | { type: 'wake'; machine: string };

/** What happens in one api is heard in all: Postgres LISTEN/NOTIFY on one connection, listened to by topic. */
export interface Hub {
  /** Tells every api, this one too. Payloads over 7,900 bytes are cut (progress text) before they are sent. */
  publish(signal: Signal): Promise<void>;
  /** @returns ends the subscription */
  subscribe(listener: (signal: Signal) => void): () => void;
  /** Called after the connection was lost and made again: signals may have been missed, so listeners look for themselves. */
  onGap(listener: () => void): () => void;
  close(): Promise<void>;
}
