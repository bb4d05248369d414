import { parentPort, workerData } from 'node:worker_threads';
import type { LoaderSetup, LoadReply, LoadRequest } from './jobs.js';
import { createLoader } from './loader.js';

const load = createLoader(workerData as LoaderSetup);
const port = parentPort!;

port.on('message', ({ id, seed, epoch, samples }: LoadRequest) => {
  load(seed, epoch, samples).then(
    (batch) => port.postMessage({ id, ...batch } satisfies LoadReply, [batch.x.buffer]),
    (error: Error) => port.postMessage({ id, failed: error.message } satisfies LoadReply),
  );
});
