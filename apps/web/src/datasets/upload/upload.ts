import type { UploadProgress } from '@mycloud/snapshots/browser';
import { useSyncExternalStore } from 'react';
import type { UploadTree } from './folder.js';

/** What the worker is asked, once. */
export interface Asked {
  tree: Pick<UploadTree, 'files' | 'folders' | 'bytes'>;
  owner: string;
  dataset: string;
  message: string;
}

/** What it tells. */
export type Told =
  | { type: 'progress'; progress: UploadProgress }
  | { type: 'done'; version: string; sentBytes: number }
  | { type: 'failed'; message: string; hint?: string };

export type Upload = { dataset: string } & (Told | { type: 'starting' });

let current: Upload | undefined;
let worker: Worker | undefined;
const listeners = new Set<() => void>();

function set(upload: Upload | undefined): void {
  current = upload;
  for (const tell of listeners) tell();
}

/** Leaving the page would break it off: the browser asks first. */
const ask = (event: BeforeUnloadEvent) => event.preventDefault();

function end(): void {
  worker?.terminate();
  worker = undefined;
  removeEventListener('beforeunload', ask);
}

/** Begins an upload, which goes on whatever is shown meanwhile. There is one at a time. @param onDone told of the version made */
export function startUpload(asked: Asked, onDone: () => void): void {
  if (worker) return;
  const { dataset } = asked;
  worker = new Worker(new URL('./upload.worker.ts', import.meta.url), { type: 'module' });
  worker.onmessage = ({ data }: MessageEvent<Told>) => {
    if (data.type !== 'progress') end();
    set({ dataset, ...data });
    if (data.type === 'done') onDone();
  };
  worker.onerror = (event) => {
    end();
    set({ dataset, type: 'failed', message: event.message || 'The upload could not start.' });
  };
  addEventListener('beforeunload', ask);
  set({ dataset, type: 'starting' });
  worker.postMessage(asked);
}

/** Breaks the upload off, or puts what is told of an ended one away. What was sent stays stored for the next try. */
export function dismissUpload(): void {
  end();
  set(undefined);
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export const useUpload = (): Upload | undefined => useSyncExternalStore(subscribe, () => current);
