import { type BuiltLayer, namedLayers } from '../network.js';

/**
 * The network as Keras 2's `model.to_json()` writes it: `model_from_json` builds the same layers from it. Without the
 * layers' "module", which makes Keras 2.15 read it as earlier versions wrote it (keras/src/saving/legacy).
 */
export function modelToJson(network: readonly BuiltLayer[]): string {
  const first = network[0]!;
  const input = {
    class_name: 'InputLayer',
    config: {
      batch_input_shape: [null, ...first.inputShape],
      dtype: 'float32',
      sparse: false,
      ragged: false,
      name: `${first.name}_input`,
    },
  };
  const layers = namedLayers(network).map(({ name, layer }) => ({
    class_name: layer.className,
    config: { name, trainable: true, dtype: 'float32', ...layer.config },
  }));
  const config = { name: 'sequential', layers: [input, ...layers] };
  const model = { class_name: 'Sequential', config, keras_version: '2.15.0', backend: 'tensorflow' };
  return `${JSON.stringify(model, null, 2)}\n`;
}
