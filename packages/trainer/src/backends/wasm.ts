import * as tf from '@tensorflow/tfjs-core';
import { ParallelEngine } from '../engines/parallel/engine.js';
import { type Backend, eagerBackend } from './backend.js';
import { startWasm } from './start-wasm.js';
import { wasmKernels } from './wasm-kernels.js';

/** WebAssembly: one core by itself (tfjs's own threads don't run in Node), more by threads that share each batch. */
export async function wasmBackend(reason: string, threads: number): Promise<Backend> {
  const description = `WebAssembly (tfjs ${tf.version_core}, with training kernels of our own)`;
  const facts = { name: 'wasm' as const, description, reason, threads };
  if (threads > 1)
    return {
      ...facts,
      engine: 'eager',
      precision: 'f32',
      open: (plan) => ParallelEngine.open(plan, threads),
    };
  await startWasm();
  return eagerBackend(facts, { tf, kernels: wasmKernels });
}
