export { buildDeps } from './build-deps.js';
export { type Config, readConfig } from './config.js';
export { type RunningWorker, startWorker } from './worker.js';
