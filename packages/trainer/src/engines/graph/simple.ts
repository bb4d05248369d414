import { z } from 'zod';
import { TrainerError } from '../../errors.js';
import type { BuiltLayer } from '../../network.js';
import type { Piece } from './piece.js';

const activationConfig = z.object({ activation: z.string() });
const dropoutConfig = z.object({ rate: z.number() });

/** relu. (sigmoid and softmax stand last, where the loss takes them in.) */
export function activation(built: BuiltLayer): Piece[] {
  const { activation } = activationConfig.parse(built.layer.config);
  if (activation !== 'relu') {
    throw new TrainerError('bad_option', `activation('${activation}') is only supported as the last layer`);
  }
  return [
    {
      built,
      uses: [],
      order: 'rising',
      emit({ graph, scope }, x) {
        const y = graph.op(`${scope}/Relu`, 'Relu', [x.ref], {}, x.type);
        return {
          y: { ...x, ref: y },
          backward(given) {
            const dy = graph.cast(`${scope}/grad/cast`, given, x.type);
            const dx = graph.op(`${scope}/grad/ReluGrad`, 'ReluGrad', [dy.ref, y], {}, x.type);
            return { dx: { ...x, ref: dx }, grads: [] };
          },
        };
      },
    },
  ];
}

export const flatten = (built: BuiltLayer): Piece[] => [
  {
    built,
    uses: [],
    order: 'fixed',
    emit({ graph, scope }, given) {
      const x = graph.cast(`${scope}/cast`, given, 'float32');
      return {
        y: {
          ...x,
          ref: graph.reshape(`${scope}/Reshape`, x.ref, [-1, ...built.outputShape]),
          shape: built.outputShape,
        },
        backward(given) {
          const dy = graph.cast(`${scope}/grad/cast`, given, 'float32').ref;
          return {
            dx: { ...x, ref: graph.reshape(`${scope}/grad/Reshape`, dy, [-1, ...x.shape]) },
            grads: [],
          };
        },
      };
    },
  },
];

/**
 * While training, a value is kept where a uniform number is at least `rate`, and divided by 1 − rate. The numbers
 * depend on the step's seed and the layer's place alone (Philox), so a step that is taken again drops the same; a share
 * of a batch takes its rows of the batch's.
 */
export function dropout(built: BuiltLayer, place: number): Piece[] {
  const { rate } = dropoutConfig.parse(built.layer.config);
  return [
    {
      built,
      uses: [],
      order: 'fixed',
      emit({ graph, scope, training, seed, rows }, given) {
        const x = graph.cast(`${scope}/cast`, given, 'float32');
        if (!training || rate === 0) return { y: x, backward: (dy) => ({ dx: dy, grads: [] }) };
        const at = graph.ints(`${scope}/place`, [place, 0]);
        const own = graph.op(`${scope}/seed`, 'AddV2', [seed, at], {}, 'int32');
        const [from, total] = graph.halves(`${scope}/rows`, rows);
        const whole = graph.join(`${scope}/whole`, [total, graph.ints(`${scope}/sizes`, x.shape)]);
        const ofBatch = graph.add(`${scope}/StatelessRandomUniform`, 'StatelessRandomUniform', [whole, own], {
          dtype: { type: 'float32' },
          T: { type: 'int32' },
          Tseed: { type: 'int32' },
        });
        const zeros = graph.ints(
          `${scope}/zeros`,
          x.shape.map(() => 0),
        );
        const begin = graph.join(`${scope}/begin`, [from, zeros]);
        const drawn = graph.op(
          `${scope}/drawn`,
          'Slice',
          [ofBatch, begin, graph.shapeOf(`${scope}/shape`, x)],
          {
            Index: { type: 'int32' },
          },
        );
        const kept = graph.op(`${scope}/GreaterEqual`, 'GreaterEqual', [
          drawn,
          graph.float(`${scope}/rate`, rate),
        ]);
        const ones = graph.add(`${scope}/ones`, 'Cast', [kept], {
          SrcT: { type: 'bool' },
          DstT: { type: 'float32' },
        });
        const mask = graph.op(`${scope}/mask`, 'Mul', [ones, graph.float(`${scope}/scale`, 1 / (1 - rate))]);
        return {
          y: { ...x, ref: graph.op(`${scope}/Mul`, 'Mul', [x.ref, mask]) },
          backward(given) {
            const dy = graph.cast(`${scope}/grad/cast`, given, 'float32').ref;
            return { dx: { ...x, ref: graph.op(`${scope}/grad/Mul`, 'Mul', [dy, mask]) }, grads: [] };
          },
        };
      },
    },
  ];
}
