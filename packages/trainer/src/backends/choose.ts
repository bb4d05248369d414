import { availableParallelism } from 'node:os';
import { TrainerError } from '../errors.js';
import type { Backend } from './backend.js';
import { loadTensorflow } from './tensorflow.js';
import { wasmBackend } from './wasm.js';

export const backendChoices = ['auto', 'tensorflow', 'wasm'] as const;
export type BackendChoice = (typeof backendChoices)[number];

/**
 * The best backend there is, with the reason why it isn't a better one; or the one that is asked for. `threads` is for
 * WebAssembly: one a core when not given.
 * @throws TrainerError 'backend_unavailable' where the one asked for can't be had.
 */
export async function chooseBackend(
  choice: BackendChoice,
  threads = availableParallelism(),
): Promise<Backend> {
  if (choice === 'wasm') return wasmBackend('asked for', threads);
  const tensorflow = await loadTensorflow();
  if ('backend' in tensorflow) return tensorflow.backend;
  if (choice === 'tensorflow') {
    throw new TrainerError('backend_unavailable', `TensorFlow can't be used: ${tensorflow.reason}`, {
      hint: 'Put @tensorflow/tfjs-node into a folder and name it in MYCLOUD_TFJS_NODE, or train with --backend wasm.',
    });
  }
  return wasmBackend(`TensorFlow would be faster, but ${tensorflow.reason}`, threads);
}
