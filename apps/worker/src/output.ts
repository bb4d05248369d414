import { readdir } from 'node:fs/promises';
import { type AttemptProof, type Client, workerRoutes } from '@mycloud/shared';
import { openHashCache, uploadFolder } from '@mycloud/snapshots';
import type { AttemptFolder } from './attempt-folder.js';
import { isPassing, isStale, untilAnswered } from './retry.js';

export interface OutputSaver {
  /** Saves /output as it is; null when there is nothing in it. @throws AppError */
  save(signal?: AbortSignal): Promise<{ snapshotId: string; skipped: string[] } | null>;
  /** Saves and names it to the api, every so often while the job runs, if it changed. */
  startSync(everySeconds: number, onFailure: (error: unknown) => void): void;
  stopSync(): Promise<void>;
}

/** Keeps the output of one attempt in the store. */
export function openOutput(client: Client, proof: AttemptProof, folder: AttemptFolder): OutputSaver {
  const cache = openHashCache(folder.file('hashed'));
  let timer: NodeJS.Timeout | null = null;
  let running: Promise<void> = Promise.resolve();
  const stopped = new AbortController();

  async function upload(signal?: AbortSignal) {
    const known = folder.state.output;
    if (!known && (await readdir(folder.outputDir)).length === 0) return null;
    return untilAnswered(
      () =>
        uploadFolder({
          client,
          dir: folder.outputDir,
          attempt: proof,
          ignore: false,
          lenient: true,
          cache,
          signal,
        }),
      signal,
    );
  }

  async function sync(): Promise<void> {
    const saved = await upload(stopped.signal);
    if (!saved || saved.hash === folder.state.output?.hash) return;
    const { jobId, attempt, fence } = proof;
    const body = { attempt, fence, snapshotId: saved.snapshotId };
    await client.call(workerRoutes.output, { params: { jobId }, body }, { signal: stopped.signal });
    folder.update({ output: { snapshotId: saved.snapshotId, hash: saved.hash } });
  }

  return {
    async save(signal) {
      const saved = await upload(signal);
      if (!saved) return null;
      folder.update({ output: { snapshotId: saved.snapshotId, hash: saved.hash } });
      return {
        snapshotId: saved.snapshotId,
        skipped: saved.skipped.map((one) => `${one.path}: ${one.reason}`),
      };
    },
    startSync(everySeconds, onFailure) {
      const again = (): void => {
        timer = setTimeout(() => {
          running = sync()
            .catch((error: unknown) => {
              // Another try follows, and the end saves it anyway.
              if (!stopped.signal.aborted && (isStale(error) || !isPassing(error))) onFailure(error);
            })
            .then(() => {
              if (!stopped.signal.aborted) again();
            });
        }, everySeconds * 1000);
      };
      again();
    },
    async stopSync() {
      stopped.abort();
      if (timer) clearTimeout(timer);
      await running;
    },
  };
}
