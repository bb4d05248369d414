import { createRequire } from 'node:module';
import path from 'node:path';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import type { Tensor, Tensor4D, TensorInfo } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { type Backend, eagerBackend, type Kernels } from './backend.js';
import { biasGradLoop, maxPoolGradLoop, reluGradLoop } from './heap-kernels.js';

/** The part of tfjs's BackendWasm that our kernels use: tensors live on its heap, and can be viewed there. */
interface WasmHeap {
  makeOutput(shape: number[], dtype: 'float32'): TensorInfo;
  typedArrayFromHeap(info: TensorInfo): Float32Array;
}

/** Writes a new tensor from views of others. */
type Fill = (views: Float32Array[], out: Float32Array) => void;

/** Runs `fill` as a kernel of our own, over views on the heap: inputs first, then the new output. */
function heapOp<T extends Tensor>(name: string, inputs: Tensor[], shape: number[], fill: Fill): T {
  if (!tf.getKernel(name, 'wasm')) {
    tf.registerKernel({
      kernelName: name,
      backendName: 'wasm',
      kernelFunc: ({ inputs: given, attrs, backend }) => {
        const heap = backend as unknown as WasmHeap;
        const { shape, fill } = attrs as unknown as { shape: number[]; fill: Fill };
        // The output first: allocating may grow the heap, which detaches views taken before.
        const out = heap.makeOutput(shape, 'float32');
        const views = Object.values(given).map((info) => heap.typedArrayFromHeap(info as TensorInfo));
        fill(views, heap.typedArrayFromHeap(out));
        return out;
      },
    });
  }
  const named = Object.fromEntries(inputs.map((tensor, i) => [`input${i}`, tensor]));
  return tf.engine().runKernel(name, named, { shape, fill } as unknown as tf.NamedAttrMap) as T;
}

/** Gradients re-expressed in what the wasm backend does fast (XNNPACK's convolution), or as loops on its heap. */
const wasmKernels: Kernels = {
  // dW[i,j,c,k] = Σ x[n,h+i,w+j,c]·dy[n,h,w,k]: a convolution whose batch is c, whose channels are n, and whose
  // filter is dy. The backend has no kernel for it; this is eight times faster than nine matrix products.
  convFilterGrad(x, dy) {
    const xT = tf.transpose(x, [3, 1, 2, 0]);
    const dyT = tf.transpose(dy, [1, 2, 0, 3]);
    return tf.transpose(tf.conv2d(xT, dyT, 1, 'valid'), [1, 2, 0, 3]);
  },
  // A convolution of dy, padded all round, with the filters turned by 180° and their channels swapped.
  convInputGrad(_xShape, dy, filter) {
    const [kh, kw] = filter.shape;
    const turned = tf.transpose(tf.reverse(filter, [0, 1]), [0, 1, 3, 2]) as Tensor4D;
    const padded = tf.pad(dy, [
      [0, 0],
      [kh - 1, kh - 1],
      [kw - 1, kw - 1],
      [0, 0],
    ]);
    return tf.conv2d(padded, turned, 1, 'valid');
  },
  maxPoolGrad(x, y, dy, [ph, pw]) {
    const [n, h, w, c] = x.shape;
    return heapOp('MycloudMaxPoolGrad', [x, y, dy], x.shape, ([xs, ys, dys], out) =>
      maxPoolGradLoop(xs!, ys!, dys!, out, { n, h, w, c, ph, pw }),
    );
  },
  reluGrad: (dy, y) =>
    heapOp('MycloudReluGrad', [dy, y], y.shape, ([dys, ys], out) => reluGradLoop(dys!, ys!, out)),
  biasGrad: (dy) =>
    heapOp('MycloudBiasGrad', [dy], [dy.shape.at(-1)!], ([dys], out) => biasGradLoop(dys!, out)),
};

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
