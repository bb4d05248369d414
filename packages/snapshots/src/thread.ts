import { parentPort } from 'node:worker_threads';
import { createThreadWork, type Work } from './thread-work.js';

const work = createThreadWork();
const port = parentPort!;

port.on('message', async ({ id, work: asked }: { id: number; work: Work }) => {
  try {
    port.postMessage({ id, answer: await work(asked) });
  } catch (error) {
    // Cloned, an error would lose what the system said of it.
    port.postMessage({ id, error: { ...(error as Error), message: (error as Error).message } });
  }
});
