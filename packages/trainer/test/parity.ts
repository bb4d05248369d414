import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';
import { type Backend, eagerBackend, type Kernels } from '../src/backends/backend.js';
import { standardKernels } from '../src/backends/standard-kernels.js';
import { wasmBackend } from '../src/backends/wasm.js';
import { wasmKernels } from '../src/backends/wasm-kernels.js';
import type { Batch } from '../src/engines/engine.js';

/** Numbers in ±scale that the Python scripts draw from the same formula. */
export function wave(count: number, phase: number, scale: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => {
    const hashed = (Math.abs(Math.sin(i * 12.9898 + phase)) * 4375.8) % 1;
    return (hashed * 2 - 1) * scale;
  });
}

/** Noise of which class 1 has every other column darker. */
export function waveBatch(step: number, { size, n }: { size: number; n: number }): Batch {
  const y = Float32Array.from({ length: n }, (_, i) => (i + step) % 2);
  const x = wave(n * size * size * 3, step * 1.3, 0.5).map((value, i) => {
    const column = Math.floor(i / 3) % size;
    const label = y[Math.floor(i / (size * size * 3))];
    return Math.fround(value + 0.5) * (label === 1 && column % 2 === 0 ? 0.4 : 1);
  });
  return { x, y, n, shape: [n, size, size, 3] };
}

/** TensorFlow runs tfjs's own gradient kernels; where it isn't, tfjs on plain JavaScript runs the same. */
async function standardBackend(): Promise<Backend> {
  await tf.setBackend('cpu');
  const kernels = standardKernels(tf);
  const facts = {
    name: 'tensorflow' as const,
    description: 'tfjs on JavaScript',
    reason: 'tested',
    threads: 1,
  };
  return eagerBackend(facts, { tf, kernels });
}

export const backends = { wasm: () => wasmBackend('tested', 1), standard: standardBackend };

/** The ops and kernels of a backend, which is started. */
export async function opsOf(name: keyof typeof backends): Promise<{ tf: typeof tf; kernels: Kernels }> {
  await backends[name]();
  return { tf, kernels: name === 'wasm' ? wasmKernels : standardKernels(tf) };
}

export function close(actual: ArrayLike<number>, expected: number[], tolerance: number, what = ''): void {
  expect(actual.length).toBe(expected.length);
  for (const [i, value] of expected.entries()) {
    const said = `${what}[${i}]: ${actual[i]}, Keras has ${value}`;
    expect(Math.abs(actual[i]! - value), said).toBeLessThan(tolerance);
  }
}
