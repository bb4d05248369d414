import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { chooseBackend, sequential } from '../src/index.js';
import type { Layer } from '../src/layers/layer.js';
import { modelFromJson } from '../src/model-json/read.js';
import { answerFor, compiledModel, recipes } from '../src/models/index.js';
import { askKeras, python } from './keras.js';
import { close, wave } from './parity.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'model-json-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const modelOf = async (layers: Layer[]) =>
  compiledModel(layers, {
    optimizer: 'adam',
    lr: 0.001,
    schedule: 'cosine',
    totalSteps: 100,
    seed: 3,
    backend: await chooseBackend('wasm', { threads: 1 }),
  });
const layersOf = (name: 'tutorial' | 'deep', classes: number, imageSize = 40) =>
  recipes[name].layers({ imageSize, dropout: 0.3, ...answerFor(classes) });

test('the deep model has the parameters it is described with', () => {
  const lines: string[] = [];
  sequential(layersOf('deep', 2, 150)).summary((text) => lines.push(text));
  expect(lines.join()).toContain('Total params: 386,409');
  expect(lines.join()).toContain('Non-trainable params: 976');
});

test('a model comes back from its model.json, to the letter', () => {
  for (const layers of [layersOf('tutorial', 3), layersOf('deep', 2)]) {
    const text = sequential(layers).toJson();
    expect(sequential(modelFromJson(text, 'model.json')).toJson()).toBe(text);
  }
});

const wrong: [what: string, change: (lines: string[]) => void, said: RegExp][] = [
  [
    'a comma is missing',
    (lines) => replace(lines, '"trainable": true,', '"trainable": true'),
    /model\.json:\d+: it is no JSON \(CommaExpected\)/,
  ],
  ['it is cut', (lines) => lines.splice(30), /model\.json:30: it is no JSON/],
  [
    'a layer is unknown',
    (lines) => replace(lines, '"Flatten"', '"LSTM"'),
    /model\.json:(\d+): the layer LSTM is not supported: there are Conv2D/,
  ],
  [
    'a number is wrong',
    (lines) => replace(lines, '"units": 64', '"units": -64'),
    /model\.json:(\d+): units: /,
  ],
  [
    'an activation is unknown',
    (lines) => replace(lines, '"activation": "sigmoid"', '"activation": "gelu"'),
    /model\.json:(\d+): activation: .*softmax/,
  ],
  [
    'it is no Sequential',
    (lines) => replace(lines, '"Sequential"', '"Functional"'),
    /model\.json:2: class_name: /,
  ],
];
let changed = 0;
/** Changes the first line that has it. */
function replace(lines: string[], from: string, to: string): void {
  changed = lines.findIndex((line) => line.includes(from));
  lines[changed] = lines[changed]!.replace(from, to);
}

test.each(wrong)('%s: the line and the reason are said', (_what, change, said) => {
  const lines = sequential(layersOf('tutorial', 2)).toJson().split('\n');
  change(lines);
  let message = '';
  try {
    modelFromJson(lines.join('\n'), 'model.json');
  } catch (error) {
    message = (error as Error).message;
  }
  expect(message).toMatch(said);
  const line = said.exec(message)?.[1];
  if (line) expect(Number(line)).toBe(changed + 1);
});

test('weights of another shape: the layer and both shapes are named', async () => {
  const file = path.join(dir, 'weights.hdf5');
  await (await modelOf(layersOf('deep', 2))).saveWeights(file);
  const other = await modelOf(layersOf('deep', 3));
  await expect(other.loadWeights(file)).rejects.toMatchObject({
    message: expect.stringContaining('for dense it has dense with kernel 192×1, bias 1'),
    hint: 'Here dense has kernel 192×3, bias 3.',
  });
});

test.skipIf(python === undefined).each(['tutorial', 'deep'] as const)(
  'Keras 2.15 builds the %s model from model.json and the weights, predicts the same, and its own to_json loads here',
  { timeout: 180_000 },
  async (name) => {
    const files = ['model.json', 'weights.hdf5', 'keras.json', 'keras.h5'].map((file) =>
      path.join(dir, file),
    );
    const [json, weights, kerasJson, kerasWeights] = files as [string, string, string, string];
    const model = await modelOf(layersOf(name, 3));
    const batch = { x: wave(2 * 40 * 40 * 3, 1, 1), n: 2, shape: [2, 40, 40, 3] };
    // Some steps, so that moving statistics are none that a layer begins with.
    const engine = await model.engine();
    for (let i = 0; i < 3; i++) await engine.trainStep({ ...batch, y: Float32Array.of(1, 0, 0, 0, 0, 1) });
    await writeFile(json, model.toJson());
    await model.saveWeights(weights);
    const ours = await model.predict(batch);
    const keras = await askKeras<{ predictions: number[]; parameters: number }>('model-json.keras.py', files);
    close(ours, keras.predictions, 1e-6, 'prediction');

    const again = await modelOf(modelFromJson(await readFile(kerasJson, 'utf8'), kerasJson));
    await again.loadWeights(kerasWeights);
    close(await again.predict(batch), keras.predictions, 1e-6, 'prediction');
  },
);
