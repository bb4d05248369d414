import { TrainerError } from '../errors.js';
import type { BuiltLayer } from '../network.js';
import { type LayerWeights, readWeights } from './hdf5.js';

const sizes = (weights: { name: string; shape: number[] }[]) =>
  weights.map(({ name, shape }) => `${name} ${shape.join('×')}`).join(', ');

/** Weights as an engine gives them, under their layers' names; activations given as options are no layers of Keras. */
export function namedWeights(network: readonly BuiltLayer[], weights: Float32Array[][]): LayerWeights[] {
  return network.flatMap(({ name, inner, specs }, i) =>
    inner
      ? []
      : { name, weights: specs.map(({ name, shape }, w) => ({ name, shape, data: weights[i]![w]! })) },
  );
}

/**
 * Reads a file's weights for the layers of a network, in their order; names don't matter, shapes do.
 * @throws TrainerError 'bad_weights' naming the first layer that doesn't fit, its shape in the file and here.
 */
export async function readWeightsFor(
  path: string,
  network: readonly BuiltLayer[],
): Promise<Float32Array[][]> {
  const given = (await readWeights(path)).filter((layer) => layer.weights.length > 0);
  const wanted = network.filter((built) => built.specs.length > 0);
  for (const [i, { name, specs }] of wanted.entries()) {
    const found: LayerWeights | undefined = given[i];
    const same =
      found?.weights.length === specs.length &&
      specs.every(({ shape }, w) => shape.join() === found.weights[w]!.shape.join());
    if (same) continue;
    const there = found ? `has ${found.name} with ${sizes(found.weights)}` : 'has no more layers';
    throw new TrainerError('bad_weights', `${path} is of another network: for ${name} it ${there}`, {
      hint: `Here ${name} has ${sizes(specs)}.`,
    });
  }
  if (given.length > wanted.length) {
    const { name, weights } = given[wanted.length]!;
    throw new TrainerError(
      'bad_weights',
      `${path} is of another network: it has ${name} with ${sizes(weights)} too`,
      {
        hint: `Here there are ${wanted.length} layers with weights.`,
      },
    );
  }
  const rest = given.values();
  return network.map(({ specs }) =>
    specs.length === 0 ? [] : rest.next().value!.weights.map((weight) => weight.data),
  );
}
