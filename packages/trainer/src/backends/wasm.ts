import { createRequire } from 'node:module';
import path from 'node:path';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import * as tf from '@tensorflow/tfjs-core';
import { type Backend, eagerBackend } from './backend.js';
import { wasmKernels } from './wasm-kernels.js';

/** Starts the wasm backend (one core: its threads don't run in Node). */
export async function wasmBackend(reason: string): Promise<Backend> {
  const main = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
  setWasmPaths(path.join(path.dirname(main), '..', 'wasm-out', path.sep));
  // Its loader adds process-wide handlers that would print its whole source before any error of ours.
  const events = ['uncaughtException', 'unhandledRejection'] as const;
  const before = events.map((event) => new Set<unknown>(process.rawListeners(event)));
  await tf.setBackend('wasm');
  await tf.ready();
  for (const [i, event] of events.entries()) {
    for (const listener of process.rawListeners(event)) {
      if (!before[i]!.has(listener)) process.off(event, listener as () => void);
    }
  }
  const description = `WebAssembly (tfjs ${tf.version_core}, with training kernels of our own)`;
  return eagerBackend({ name: 'wasm', description, reason, threads: 1 }, { tf, kernels: wasmKernels });
}
