import { parentPort } from 'node:worker_threads';
import { createThreadWork, type Work } from './thread-work.js';

const work = createThreadWork();
const port = parentPort!;

port.on('message', (asked: Work) => {
  try {
    port.postMessage({ answer: work(asked) });
  } catch (error) {
    port.postMessage({ error });
  }
});
