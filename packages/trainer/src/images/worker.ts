import { readlinkSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import type { LoaderSetup, LoadReply, LoadRequest } from './jobs.js';
import { createLoader } from './loader.js';

// Pictures are made in what a step leaves of the processor: its threads wait for each other, so one that is held up
// holds up all. Linux knows threads as processes of their own, and has a priority for each.
if (process.platform === 'linux') {
  os.setPriority(
    Number(path.basename(readlinkSync('/proc/thread-self'))),
    os.constants.priority.PRIORITY_BELOW_NORMAL,
  );
}

const load = createLoader(workerData as LoaderSetup);
const port = parentPort!;

port.on('message', ({ id, seed, epoch, samples, room }: LoadRequest) => {
  load(seed, epoch, samples, room).then(
    (batch) => port.postMessage({ id, ...batch } satisfies LoadReply),
    (error: Error) => port.postMessage({ id, failed: error.message } satisfies LoadReply),
  );
});
