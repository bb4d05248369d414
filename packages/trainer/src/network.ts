import { TrainerError } from './errors.js';
import { count, type Layer, type WeightSpec } from './layers/layer.js';
import type { Rng } from './rng.js';

/** A layer in its place: its Keras name, its shapes, and its first weights. */
export interface BuiltLayer {
  name: string;
  /** It is the activation of the layer before it, given there as an option: Keras knows no such layer. */
  inner?: true;
  layer: Layer;
  inputShape: number[];
  outputShape: number[];
  specs: WeightSpec[];
}

/** The layers as Keras knows them. */
export function namedLayers(network: readonly BuiltLayer[]): BuiltLayer[] {
  return network.filter((built) => !built.inner);
}

/** Puts the layers in a row: unfolds activations given as options, names them as Keras does, carries the shapes through, draws the first weights. */
export function buildNetwork(layers: readonly Layer[], rng: Rng): BuiltLayer[] {
  let shape = layers[0]?.inputShape;
  if (!shape) {
    throw new TrainerError('bad_option', 'The first layer has no inputShape', {
      hint: 'Say conv2d({ filters: 32, kernelSize: 3, inputShape: [150, 150, 3] }).',
    });
  }
  const seen = new Map<string, number>();
  return layers.flatMap((layer) => {
    const number = seen.get(layer.kind) ?? 0;
    seen.set(layer.kind, number + 1);
    const inputShape = shape!;
    const outputShape = layer.outputShape(inputShape);
    if (outputShape.some((size) => size < 1)) {
      throw new TrainerError('bad_option', `Nothing is left of the picture after ${layer.className}`, {
        hint: 'Use larger pictures (--image-size) or fewer layers.',
      });
    }
    shape = outputShape;
    const name = layer.name ?? (number === 0 ? layer.kind : `${layer.kind}_${number}`);
    const built: BuiltLayer = {
      name,
      layer,
      inputShape,
      outputShape,
      specs: layer.weightSpecs(inputShape, rng),
    };
    const { followedBy } = layer;
    if (!followedBy) return built;
    const inner: BuiltLayer = {
      name: `${name}/${followedBy.activation}`,
      inner: true,
      layer: followedBy,
      inputShape: outputShape,
      outputShape,
      specs: [],
    };
    return [built, inner];
  });
}

function parameterCount(specs: readonly WeightSpec[]): number {
  return specs.reduce((sum, spec) => sum + count(spec.shape), 0);
}

/** The table `model.summary()` prints, in Keras's form. */
export function summaryOf(network: readonly BuiltLayer[]): string {
  const line = (a: string, b: string, c: string) => ` ${a.padEnd(30)}${b.padEnd(26)}${c}`.trimEnd();
  const rule = '_'.repeat(66);
  const rows = namedLayers(network).map(({ name, layer, outputShape, specs }) =>
    line(`${name} (${layer.className})`, `(None, ${outputShape.join(', ')})`, String(parameterCount(specs))),
  );
  const all = network.flatMap(({ specs }) => specs);
  const moving = parameterCount(all.filter((spec) => spec.moving));
  const shown = (n: number) => n.toLocaleString('en-US');
  return [
    'Model: "sequential"',
    rule,
    line('Layer (type)', 'Output Shape', 'Param #'),
    '='.repeat(66),
    ...rows,
    '='.repeat(66),
    `Total params: ${shown(parameterCount(all))}`,
    `Trainable params: ${shown(parameterCount(all) - moving)}`,
    `Non-trainable params: ${shown(moving)}`,
  ].join('\n');
}
