import type { GraphNode } from '@mycloud/tfevents';
import { isActivation } from '../layers/simple.js';
import type { BuiltLayer } from '../network.js';

/** TensorFlow's op for each kind of layer: TensorBoard colours and groups nodes by it. */
const ops: Record<string, string> = {
  conv2d: 'Conv2D',
  max_pooling2d: 'MaxPool',
  global_average_pooling2d: 'Mean',
  batch_normalization: 'FusedBatchNormV3',
  flatten: 'Reshape',
  dense: 'MatMul',
  dropout: 'Dropout',
};
const activations = { relu: 'Relu', sigmoid: 'Sigmoid', softmax: 'Softmax' };

/** The network as TensorBoard draws it: a group per layer, with its variables, op and bias inside. */
export function graphNodes(network: readonly BuiltLayer[]): GraphNode[] {
  const shaped = (shape: number[]) => ({ dtype: { type: 'float32' as const }, shape: { shape } });
  const first = network[0]!;
  const nodes: GraphNode[] = [
    { name: `${first.name}_input`, op: 'Placeholder', inputs: [], attrs: shaped([-1, ...first.inputShape]) },
  ];
  let from = nodes[0]!.name;
  for (const { name, layer, specs, outputShape } of network) {
    const variables = specs.map(
      (spec): GraphNode => ({
        name: `${name}/${spec.name}`,
        op: 'VariableV2',
        inputs: [],
        attrs: shaped(spec.shape),
      }),
    );
    const op = isActivation(layer) ? activations[layer.activation] : (ops[layer.kind] ?? layer.className);
    const bias = specs.findIndex((spec) => spec.name === 'bias');
    const inputs = variables.filter((_, i) => i !== bias).map((variable) => variable.name);
    const attrs = { T: { type: 'float32' as const }, _output_shape: { shape: [-1, ...outputShape] } };
    const main = { name: `${name}/${op}`, op, inputs: [from, ...inputs], attrs };
    nodes.push(...variables, main);
    from = main.name;
    if (bias >= 0) {
      const added = [from, variables[bias]!.name];
      nodes.push({ name: `${name}/BiasAdd`, op: 'BiasAdd', inputs: added, attrs });
      from = `${name}/BiasAdd`;
    }
  }
  return nodes;
}
