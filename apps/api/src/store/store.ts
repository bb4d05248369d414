import type { Readable } from 'node:stream';
import type { SignedRequest } from '@mycloud/shared';
import type { Checksum } from './checksum.js';

interface ObjectInfo {
  size: number;
  /** What it was checked against as it came, where the store knows that without reading the bytes. */
  checksum: Checksum | undefined;
}

/**
 * Where bytes live: a directory, or a bucket. Keys are paths of [a-z0-9/._-]. Objects are written once and never changed.
 * Both stores keep the same promises, held to them by one test suite.
 */
export interface Store {
  readonly kind: 'directory' | 's3';
  /** Writes an object whole or not at all. @throws AppError unavailable (store away), internal with details.reason 'disk_full' */
  put(key: string, bytes: Uint8Array | Readable, size: number): Promise<void>;
  /** Reads an object, or bytes start..end inclusive. @throws AppError not_found */
  get(key: string, range?: { start: number; end: number }): Promise<Readable>;
  /** undefined: there is none. */
  stat(key: string): Promise<ObjectInfo | undefined>;
  /** Deleting what isn't there is no error. */
  delete(key: string): Promise<void>;
  list(prefix: string): AsyncIterable<{ key: string; size: number }>;
  /** A PUT of exactly these bytes, good for `seconds`; the store refuses any others. */
  signPut(key: string, what: { size: number; checksum: Checksum }, seconds: number): Promise<SignedRequest>;
  signGet(key: string, seconds: number): Promise<SignedRequest>;
  /** @throws AppError unavailable when it can't take bytes now */
  check(): Promise<void>;
}
