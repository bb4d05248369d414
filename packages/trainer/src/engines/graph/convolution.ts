import { z } from 'zod';
import type { BuiltLayer } from '../../network.js';
import { biasPiece } from './bias.js';
import type { Piece } from './piece.js';

const pair = z.tuple([z.number(), z.number()]);
const padding = z.enum(['valid', 'same']);
const convConfig = z.object({ strides: pair, padding, use_bias: z.boolean() });
const poolConfig = z.object({ pool_size: pair, strides: pair, padding });

/** conv2d: the product with the kernel, then the bias where it has one. Kernels are [kh, kw, c, filters]. */
export function convolution(built: BuiltLayer): Piece[] {
  const config = convConfig.parse(built.layer.config);
  const attrs = {
    strides: { ints: [1, ...config.strides, 1] },
    padding: { string: config.padding.toUpperCase() },
  };
  const product: Piece = {
    built,
    uses: [0],
    order: 'fixed',
    emit({ graph, scope, weights, precision }, given) {
      const x = graph.cast(`${scope}/cast`, given, precision);
      const kernel = graph.cast(`${scope}/kernel/cast`, weights[0]!, precision);
      const y = graph.op(`${scope}/Conv2D`, 'Conv2D', [x.ref, kernel.ref], attrs, precision);
      return {
        y: { ref: y, shape: built.outputShape, type: precision },
        backward(given, needDx) {
          const dy = graph.cast(`${scope}/grad/cast`, given, precision);
          const grad = (op: string, inputs: string[]) =>
            graph.op(`${scope}/grad/${op}`, op, inputs, attrs, precision);
          const sizes = graph.ints(`${scope}/grad/kernel_shape`, kernel.shape);
          const ref = grad('Conv2DBackpropFilter', [x.ref, sizes, dy.ref]);
          const dKernel = graph.cast(`${scope}/grad/kernel`, { ...kernel, ref }, 'float32').ref;
          if (!needDx) return { dx: undefined, grads: [dKernel] };
          const inputs = [graph.shapeOf(`${scope}/grad/input_shape`, x), kernel.ref, dy.ref];
          return { dx: { ...x, ref: grad('Conv2DBackpropInput', inputs) }, grads: [dKernel] };
        },
      };
    },
  };
  return config.use_bias ? [product, biasPiece(built)] : [product];
}

export function maxPooling(built: BuiltLayer): Piece[] {
  const config = poolConfig.parse(built.layer.config);
  const attrs = {
    ksize: { ints: [1, ...config.pool_size, 1] },
    strides: { ints: [1, ...config.strides, 1] },
    padding: { string: config.padding.toUpperCase() },
  };
  return [
    {
      built,
      uses: [],
      order: 'max-pooling',
      emit({ graph, scope }, x) {
        const y = graph.op(`${scope}/MaxPool`, 'MaxPool', [x.ref], attrs, x.type);
        return {
          y: { ref: y, shape: built.outputShape, type: x.type },
          backward(given) {
            const dy = graph.cast(`${scope}/grad/cast`, given, x.type);
            const inputs = [x.ref, y, dy.ref];
            const dx = graph.op(`${scope}/grad/MaxPoolGrad`, 'MaxPoolGrad', inputs, attrs, x.type);
            return { dx: { ...x, ref: dx }, grads: [] };
          },
        };
      },
    },
  ];
}

/** The mean over height and width, in float32: [h, w, c] → [c]. */
export const globalAveragePooling = (built: BuiltLayer): Piece[] => [
  {
    built,
    uses: [],
    order: 'fixed',
    emit({ graph, scope }, given) {
      const x = graph.cast(`${scope}/cast`, given, 'float32');
      const [h = 0, w = 0, c = 0] = x.shape;
      return {
        y: { ref: graph.mean(`${scope}/Mean`, x.ref, [1, 2]), shape: built.outputShape, type: 'float32' },
        backward(given) {
          const dy = graph.cast(`${scope}/grad/cast`, given, 'float32').ref;
          const share = graph.op(`${scope}/grad/share`, 'Mul', [
            dy,
            graph.float(`${scope}/grad/part`, 1 / (h * w)),
          ]);
          const flat = graph.reshape(`${scope}/grad/Reshape`, share, [-1, 1, 1, c]);
          const inputs = [flat, graph.shapeOf(`${scope}/grad/shape`, x)];
          const attrs = { Tidx: { type: 'int32' as const } };
          const dx = graph.op(`${scope}/grad/BroadcastTo`, 'BroadcastTo', inputs, attrs);
          return { dx: { ...x, ref: dx }, grads: [] };
        },
      };
    },
  },
];
