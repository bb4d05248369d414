import { availableParallelism } from 'node:os';
import { TrainerError } from '../errors.js';
import type { Backend, Precision } from './backend.js';
import { loadTensorflow } from './tensorflow.js';

export const backendChoices = ['auto', 'tensorflow', 'wasm'] as const;
export type BackendChoice = (typeof backendChoices)[number];

/** Loaded where it is wanted: tfjs takes memory and half a second. */
const wasmBackend = async (reason: string, threads: number) =>
  (await import('./wasm.js')).wasmBackend(reason, threads);

/**
 * The best backend there is, with the reason why it isn't a better one; or the one that is asked for. `threads` is for
 * WebAssembly: one a core when not given.
 * @throws TrainerError 'backend_unavailable' where the one asked for can't be had.
 */
export async function chooseBackend(
  choice: BackendChoice,
  { threads = availableParallelism(), precision = 'f32' }: { threads?: number; precision?: Precision } = {},
): Promise<Backend> {
  if (choice === 'wasm' && precision === 'bf16') {
    throw new TrainerError('backend_unavailable', 'wasm has no bf16', {
      hint: 'Train without --precision bf16.',
    });
  }
  if (choice === 'wasm') return wasmBackend('asked for', threads);
  const tensorflow = await loadTensorflow(precision);
  if ('backend' in tensorflow) return tensorflow.backend;
  if (choice === 'tensorflow' || precision === 'bf16') {
    throw new TrainerError('backend_unavailable', `TensorFlow can't be used: ${tensorflow.reason}`, {
      hint: 'Run the job in the environment tensorflow, or name a folder with @tensorflow/tfjs-node in MYCLOUD_TFJS_NODE, or train with --backend wasm.',
    });
  }
  return wasmBackend(`TensorFlow would be faster, but ${tensorflow.reason}`, threads);
}
