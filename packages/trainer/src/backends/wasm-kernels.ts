import type { Tensor, Tensor4D, TensorInfo } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { windowsAlong } from '../layers/padding.js';
import type { Kernels } from './backend.js';
import {
  batchNormGradLoop,
  batchNormSumsLoop,
  biasGradLoop,
  maxPoolGradLoop,
  momentsLoop,
  reluGradLoop,
  scaleAndShiftLoop,
  spreadLoop,
} from './heap-kernels.js';

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

/** The two rows of a [2, c] tensor. */
function rows(pair: Tensor): [Tensor, Tensor] {
  const [first, second] = tf.unstack(pair);
  return [first!, second!];
}

/** Gradients re-expressed in what the wasm backend does fast (XNNPACK's convolution), or as loops on its heap. */
export const wasmKernels: Kernels = {
  // dW[i,j,c,k] = Σ x[n,s·h+i,s·w+j,c]·dy[n,h,w,k]: a convolution whose batch is c, whose channels are n, and whose
  // filter is dy, its cells s apart. The backend has no kernel for it; this is eight times faster than a matrix
  // product for each cell of the filter.
  convFilterGrad(x, dy, [kh, kw], { strides, padding }) {
    const [, oh, ow] = dy.shape;
    const reach: [number, number] = [(oh - 1) * strides[0] + kh, (ow - 1) * strides[1] + kw];
    const seen = window(x, reach, [
      windowsAlong(x.shape[1], kh, strides[0], padding).before,
      windowsAlong(x.shape[2], kw, strides[1], padding).before,
    ]);
    const xT = tf.transpose(seen, [3, 1, 2, 0]);
    const dyT = tf.transpose(dy, [1, 2, 0, 3]);
    return tf.transpose(tf.conv2d(xT, dyT, 1, 'valid', 'NHWC', strides), [1, 2, 0, 3]);
  },
  // A convolution of dy, its cells s apart with zeros between and around them, with the filters turned by 180° and
  // their channels swapped.
  convInputGrad([n, h, w], dy, filter, { strides, padding }) {
    const [kh, kw] = filter.shape;
    const [, oh, ow, k] = dy.shape;
    const turned = tf.transpose(tf.reverse(filter, [0, 1]), [0, 1, 3, 2]) as Tensor4D;
    const size = { h: h + kh - 1, w: w + kw - 1 };
    const top = kh - 1 - windowsAlong(h, kh, strides[0], padding).before;
    const left = kw - 1 - windowsAlong(w, kw, strides[1], padding).before;
    const spread = heapOp<Tensor4D>('MycloudSpread', [dy], [n, size.h, size.w, k], ([dys], out) =>
      spreadLoop(dys!, { n, h: oh, w: ow, c: k }, out, size, { strides, top, left }),
    );
    return tf.conv2d(spread, turned, 1, 'valid');
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
  moments(x) {
    const both = heapOp('MycloudMoments', [x], [2, x.shape.at(-1)!], ([xs], out) => momentsLoop(xs!, out));
    const [mean, variance] = rows(both);
    return { mean, variance };
  },
  scaleAndShift: (x, scale, shift) =>
    heapOp('MycloudScaleAndShift', [x, scale, shift], x.shape, ([xs, scales, shifts], out) =>
      scaleAndShiftLoop(xs!, scales!, shifts!, out),
    ),
  batchNormGrad(x, dy, gamma, mean, inverse) {
    const sums = heapOp(
      'MycloudBatchNormSums',
      [x, dy, mean, inverse],
      [2, gamma.size],
      ([xs, dys, means, inverses], out) => batchNormSumsLoop(xs!, dys!, means!, inverses!, out),
    );
    const dx = heapOp(
      'MycloudBatchNormGrad',
      [x, dy, gamma, mean, inverse, sums],
      x.shape,
      ([xs, dys, gammas, means, inverses, totals], out) =>
        batchNormGradLoop(
          xs!,
          dys!,
          { gammas: gammas!, means: means!, inverses: inverses!, totals: totals! },
          out,
        ),
    );
    const [dBeta, dGamma] = rows(sums);
    return { dx, dGamma, dBeta };
  },
};

/** The part of x [n,h,w,c] that starts `before` its corner and is `reach` high and wide, zeros where x isn't. */
function window(x: Tensor4D, reach: [number, number], before: [number, number]): Tensor4D {
  const [n, h, w, c] = x.shape;
  const after = [h, w].map((size, side) => Math.max(0, reach[side]! - before[side]! - size));
  const padded = [...before, ...after].some((zeros) => zeros > 0)
    ? tf.pad(x, [
        [0, 0],
        [before[0], after[0]!],
        [before[1], after[1]!],
        [0, 0],
      ])
    : x;
  return tf.slice(padded, [0, 0, 0, 0], [n, ...reach, c]);
}
