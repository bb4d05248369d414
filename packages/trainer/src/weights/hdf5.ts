import { open, rename, rm } from 'node:fs/promises';
import { Dataset, File, Group, ready } from 'h5wasm/node';
import { TrainerError } from '../errors.js';

interface Weight {
  /** Short name: kernel, bias, gamma, … */
  name: string;
  shape: number[];
  data: Float32Array;
}

export interface LayerWeights {
  name: string;
  /** In Keras's order; empty for a layer without weights. */
  weights: Weight[];
}

const count = (shape: number[]) => shape.reduce((product, n) => product * n, 1);

/** A list of fixed-length, null-terminated strings; Keras writes an empty list as float64 [0]. */
function setNames(group: Group, attribute: string, names: string[]): void {
  if (names.length === 0) {
    group.create_attribute(attribute, new Float64Array(0), [0], '<d');
    return;
  }
  const longest = Math.max(...names.map((name) => Buffer.byteLength(name)));
  group.create_attribute(attribute, names, [names.length], `A${longest + 1}`);
}

function fill(file: File, layers: LayerWeights[]): void {
  setNames(
    file,
    'layer_names',
    layers.map((layer) => layer.name),
  );
  file.create_attribute('backend', 'tensorflow', [], 'A11');
  file.create_attribute('keras_version', '2.15.0', [], 'A7');
  for (const layer of layers) {
    const group = file.create_group(layer.name);
    setNames(
      group,
      'weight_names',
      layer.weights.map((w) => `${layer.name}/${w.name}:0`),
    );
    if (layer.weights.length === 0) continue;
    const inner = group.create_group(layer.name);
    for (const { name, shape, data } of layer.weights) {
      inner.create_dataset({ name: `${name}:0`, data, shape, dtype: '<f' });
    }
  }
}

function check(layers: LayerWeights[]): void {
  const seen = new Set<string>();
  for (const { name, weights } of layers) {
    if (seen.has(name) || name === '' || name.includes('/')) {
      throw new TrainerError(
        'bad_weights',
        `"${name}" can't be a layer's name in the file: it must be its own, without "/".`,
      );
    }
    seen.add(name);
    for (const w of weights) {
      if (count(w.shape) !== w.data.length) {
        throw new TrainerError(
          'bad_weights',
          `${name}/${w.name} has ${w.data.length} numbers, not [${w.shape.join(', ')}].`,
        );
      }
    }
  }
}

/**
 * Writes weights as Keras 2 does (`model.save_weights('x.h5')`); Keras 2 and 3 load the file with
 * `load_weights`. List all layers, weightless ones too. The file appears whole or not at all.
 * Layout: keras/src/saving/legacy/hdf5_format.py, save_weights_to_hdf5_group.
 * @throws TrainerError 'bad_weights' where names clash or a shape doesn't fit its data.
 */
export async function writeWeights(path: string, layers: LayerWeights[]): Promise<void> {
  check(layers);
  await ready;
  const temporary = `${path}.${process.pid}.part`;
  try {
    await (await open(temporary, 'w')).close(); // a folder that can't be written says why; h5wasm wouldn't
    const file = new File(temporary, 'w');
    try {
      fill(file, layers);
    } finally {
      file.close();
    }
    const written = await open(temporary, 'r+');
    await written.sync().finally(() => written.close());
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw new TrainerError(
      (cause as NodeJS.ErrnoException).code === 'ENOSPC' ? 'output_full' : 'bad_weights',
      `The weights can't be written to ${path}: ${(cause as Error).message}.`,
      {
        cause,
        hint: 'Check that the folder exists, may be written, and has room.',
      },
    );
  }
}

function names(group: Group, attribute: string): string[] {
  const value = group.attrs[attribute]?.value;
  return Array.isArray(value) ? value.map(String) : [];
}

function weightOf(group: Group, at: string, name: string): Weight {
  const found = group.get(at);
  if (!(found instanceof Dataset)) throw new Error(`${group.path}/${at} is missing`);
  const { value } = found;
  const data = value instanceof Float32Array ? value : Float32Array.from(value as ArrayLike<number>);
  return { name, shape: [...(found.shape ?? [])], data };
}

/** model.save_weights of Keras 2, or the model_weights of a whole model. */
function readKeras2(root: Group): LayerWeights[] {
  return names(root, 'layer_names').map((name) => {
    const group = root.get(name);
    if (!(group instanceof Group)) throw new Error(`the layer ${name} is missing`);
    const short = (full: string) => full.slice(full.lastIndexOf('/') + 1).replace(/:0$/, '');
    return { name, weights: names(group, 'weight_names').map((full) => weightOf(group, full, short(full))) };
  });
}

/** Keras 3 numbers a layer's variables; their names follow from how many there are. */
const namesByCount: Record<number, string[]> = {
  1: ['kernel'],
  2: ['kernel', 'bias'],
  4: ['gamma', 'beta', 'moving_mean', 'moving_variance'],
};

function readKeras3(layers: Group): LayerWeights[] {
  return layers.keys().map((name) => {
    const vars = layers.get(`${name}/vars`);
    const keys = vars instanceof Group ? vars.keys().sort((a, b) => Number(a) - Number(b)) : [];
    const called = namesByCount[keys.length] ?? keys;
    return { name, weights: keys.map((key, i) => weightOf(vars as Group, key, called[i] ?? key)) };
  });
}

/** Asked before h5wasm is, which prints HDF5's whole error stack on a file of another kind. */
async function checkSignature(path: string): Promise<void> {
  const handle = await open(path);
  const { buffer } = await handle.read(Buffer.alloc(8), 0, 8, 0).finally(() => handle.close());
  if (buffer.toString('latin1') !== '\x89HDF\r\n\x1a\n') throw new Error('it is no HDF5 file');
}

/**
 * Reads weights written here, by Keras 2 (`.h5`, weights or whole model) or by Keras 3 (`.weights.h5`, whose
 * layers come in the order of their names, not of the model).
 * @throws TrainerError 'bad_weights' where the file is missing, not HDF5, or holds no weights.
 */
export async function readWeights(path: string): Promise<LayerWeights[]> {
  await ready;
  try {
    await checkSignature(path);
    const file = new File(path, 'r');
    try {
      if ('layer_names' in file.attrs) return readKeras2(file);
      const whole = file.get('model_weights');
      if (whole instanceof Group) return readKeras2(whole);
      const layers = file.get('layers') ?? file.get('_layer_checkpoint_dependencies');
      if (layers instanceof Group) return readKeras3(layers);
      throw new Error('it holds no weights of Keras 2 or 3');
    } finally {
      file.close();
    }
  } catch (cause) {
    throw new TrainerError(
      'bad_weights',
      `The weights can't be read from ${path}: ${(cause as Error).message}.`,
      {
        cause,
        hint: 'Give a file written by train, or by save_weights of Keras (.h5, .hdf5, .weights.h5).',
      },
    );
  }
}
