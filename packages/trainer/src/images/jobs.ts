import type { Augmentation } from './options.js';
import type { Skipped } from './scan.js';

/** What a worker thread is given once. */
export interface LoaderSetup {
  samples: { path: string; label: number }[];
  height: number;
  width: number;
  augmentation: Augmentation;
  /** Decoded pictures, shared by all threads; it holds the first `flags.length` samples. */
  pixels: SharedArrayBuffer;
  /** For each sample of `pixels`: 0 not there yet, 1 there. Set after the pixels are. */
  flags: SharedArrayBuffer;
}

/** One batch to make: the samples, in order. */
export interface LoadRequest {
  id: number;
  /** Of the draws, with the epoch and the sample. */
  seed: number;
  epoch: number;
  samples: Uint32Array;
  /** Where the pictures go, n × height × width × 3 floats. */
  room: SharedArrayBuffer;
}

export type LoadReply =
  | { id: number; labels: Uint32Array; skipped: Skipped[] }
  | { id: number; failed: string };
