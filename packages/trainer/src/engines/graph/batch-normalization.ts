import { z } from 'zod';
import type { BuiltLayer } from '../../network.js';
import type { Emission, Piece } from './piece.js';

const configSchema = z.object({ momentum: z.number(), epsilon: z.number() });

/**
 * batchNormalization by TensorFlow's fused op: gamma, beta, moving mean, moving variance, all float32 [c]; pictures may
 * be bfloat16. Over pictures the variance moved towards is the unbiased one, which the op gives; over [n, units], which
 * pass as pictures of one pixel, the biased one.
 */
export function batchNormalization(built: BuiltLayer): Piece[] {
  const { momentum, epsilon } = configSchema.parse(built.layer.config);
  const isFlat = built.outputShape.length === 1;

  /** m ← m − (m − batch)·(1 − momentum). */
  const moveTo = ({ graph, scope, weights, handles }: Emission, w: number, batch: string): string => {
    const old = weights[w]!.ref;
    const name = `${scope}/moving_${w}`;
    const away = graph.op(`${name}/Sub`, 'Sub', [old, batch]);
    const part = graph.op(`${name}/Mul`, 'Mul', [away, graph.float(`${scope}/decay`, 1 - momentum)]);
    const next = graph.op(`${name}/next`, 'Sub', [old, part]);
    return graph.add(`${name}/assign`, 'AssignVariableOp', [handles[w]!, next], {
      dtype: { type: 'float32' },
    });
  };

  /** variance · (n − 1) / n. */
  const biased = ({ graph, scope }: Emission, variance: string, x: string): string => {
    const channels = graph.float(`${scope}/channels`, built.outputShape[0]!);
    const size = graph.op(`${scope}/Size`, 'Size', [x], { out_type: { type: 'int32' } });
    const count = graph.add(`${scope}/count`, 'Cast', [size], {
      SrcT: { type: 'int32' },
      DstT: { type: 'float32' },
    });
    const n = graph.op(`${scope}/n`, 'RealDiv', [count, channels]);
    const less = graph.op(`${scope}/less`, 'Sub', [n, graph.float('one', 1)]);
    const share = graph.op(`${scope}/bias_of_variance`, 'RealDiv', [less, n]);
    return graph.op(`${scope}/biased`, 'Mul', [variance, share]);
  };

  return [
    {
      built,
      uses: [0, 1, 2, 3],
      order: 'fixed',
      emit(c, given) {
        const { graph, scope, weights, training } = c;
        const x = isFlat ? graph.cast(`${scope}/cast`, given, 'float32') : given;
        const pictures = isFlat ? graph.reshape(`${scope}/pixels`, x.ref, [-1, 1, 1, ...x.shape]) : x.ref;
        const back = (name: string, ref: string) =>
          isFlat ? graph.reshape(name, ref, [-1, ...x.shape]) : ref;
        const attrs = {
          U: { type: 'float32' as const },
          epsilon: { float: epsilon },
          is_training: { bool: training },
        };
        const [gamma, beta, mean, variance] = weights.map((weight) => weight.ref) as [
          string,
          string,
          string,
          string,
        ];
        // The op works out a batch's statistics itself, and then wants none.
        const given4 = training
          ? [graph.floats('nothing', []), graph.floats('nothing', [])]
          : [mean, variance];
        const inputs = [pictures, gamma, beta, ...given4];
        const norm = graph.op(`${scope}/FusedBatchNormV3`, 'FusedBatchNormV3', inputs, attrs, x.type);
        const towards = isFlat && training ? biased(c, `${norm}:2`, x.ref) : `${norm}:2`;
        return {
          y: { ...x, ref: back(`${scope}/y`, norm) },
          moved: training ? [moveTo(c, 2, `${norm}:1`), moveTo(c, 3, towards)] : [],
          backward(dy) {
            const cast = graph.cast(`${scope}/grad/cast`, dy, x.type).ref;
            const dys = isFlat ? graph.reshape(`${scope}/grad/pixels`, cast, [-1, 1, 1, ...x.shape]) : cast;
            const name = 'FusedBatchNormGradV3';
            const saved = [3, 4, 5].map((output) => `${norm}:${output}`);
            const grad = graph.op(
              `${scope}/grad/${name}`,
              name,
              [dys, pictures, gamma, ...saved],
              attrs,
              x.type,
            );
            return { dx: { ...x, ref: back(`${scope}/grad/x`, grad) }, grads: [`${grad}:1`, `${grad}:2`] };
          },
        };
      },
    },
  ];
}
