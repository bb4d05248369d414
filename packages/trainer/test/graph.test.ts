import { describe, expect, test } from 'vitest';
import { bfloat16Refusal, cpuInfo } from '../src/backends/precision.js';
import { findTfjsNode } from '../src/backends/tfjs-node.js';
import { GraphEngine } from '../src/engines/graph/engine.js';
import { startTensorflow } from '../src/engines/graph/thread.js';
import { chooseBackend, conv2d, maxPooling2d, rmsprop, sequential, sgd } from '../src/index.js';
import { lossNamed } from '../src/losses.js';
import { Rng } from '../src/rng.js';
import { wantSetting } from './kerases.js';
import { close } from './parity.js';
import { brightAndDark, SIZE, smallModel } from './support.js';

const tfjsNode = wantSetting('MYCLOUD_TEST_TFJS_NODE', 'a folder with @tensorflow/tfjs-node');
if (tfjsNode) process.env.MYCLOUD_TFJS_NODE = tfjsNode;

async function modelOn(backend: Awaited<ReturnType<typeof chooseBackend>>, seed: number) {
  const model = smallModel({ seed });
  model.compile({ loss: 'binary_crossentropy', optimizer: rmsprop({ learningRate: 0.01 }), backend });
  return { model, engine: await model.engine() };
}
const onGraph = async (seed = 1) => modelOn(await chooseBackend('tensorflow'), seed);

describe.skipIf(!tfjsNode)('a training on TensorFlow’s graph', () => {
  test('goes on in another process’s place to the very same numbers, dropout and all', async () => {
    const source = brightAndDark();
    const first = await onGraph();
    for (let i = 0; i < 5; i++) await first.engine.trainStep(await source.next());
    const state = await first.model.state();
    const rest = [await source.next(), await source.next(), await source.next()];
    const results = [];
    for (const batch of rest) results.push(await first.engine.trainStep(batch));

    const second = await onGraph(99);
    await second.model.restore(state);
    for (const [i, batch] of rest.entries()) {
      expect(await second.engine.trainStep(batch)).toEqual(results[i]);
    }
    expect(await second.model.state()).toEqual(await first.model.state());
  });

  test('a smaller last batch counts as what it is', async () => {
    const graph = await onGraph();
    const eager = await modelOn(await chooseBackend('wasm'), 1);
    for (const batchSize of [8, 3, 1]) {
      const batch = await brightAndDark({ batchSize }).next();
      const [one, other] = [await graph.engine.testStep(batch), await eager.engine.testStep(batch)];
      expect(one.loss).toBeCloseTo(other.loss, 5);
      expect(one).toMatchObject({ correct: other.correct, n: batchSize });
    }
  });

  test('a batch in shares is the batch: the same drops, the same change up to rounding', async () => {
    const thread = await startTensorflow({ binding: findTfjsNode(process.env).found[0]!.binding });
    const trained = async (rows: number) => {
      const { network } = smallModel({ seed: 1 });
      const loss = lossNamed('binary_crossentropy');
      const plan = { network, loss, optimizer: sgd({ learningRate: 0.1 }), rng: new Rng(3) };
      const engine = await GraphEngine.open(plan, thread, 'float32', { train: rows, test: rows });
      const batches = brightAndDark({ batchSize: 8 });
      const results = [];
      for (let i = 0; i < 3; i++) results.push(await engine.trainStep(await batches.next()));
      const probabilities = await engine.predict(await batches.next());
      return { results, probabilities, weights: (await engine.read()).weights.flat() };
    };
    const whole = await trained(8);
    for (const rows of [3, 4, 1]) {
      const parts = await trained(rows);
      for (const [i, result] of parts.results.entries()) {
        expect(result.loss).toBeCloseTo(whole.results[i]!.loss, 5);
        expect(result).toMatchObject({ correct: whole.results[i]!.correct, n: 8 });
      }
      close([...parts.probabilities], [...whole.probabilities], 1e-5, `${rows} at once: predictions`);
      for (const [w, weight] of parts.weights.entries()) {
        close([...weight], [...whole.weights[w]!], 1e-5, `${rows} at once: weight ${w}`);
      }
    }
  });

  test('learns, and its loop hears the world while a step runs', async () => {
    const { model, engine } = await onGraph();
    const source = brightAndDark({ batchSize: 32 });
    const history = await model.fit(source, { epochs: 8, stepsPerEpoch: 8, verbose: 0 });
    expect(history.epochs.at(-1)!.loss).toBeLessThan(history.epochs[0]!.loss! * 0.9);

    let heard = 0;
    let running = true;
    const listen = () => {
      heard++;
      if (running) setImmediate(listen);
    };
    setImmediate(listen);
    const large = await brightAndDark({ batchSize: 2048 }).next();
    await engine.trainStep(large);
    running = false;
    expect(heard).toBeGreaterThan(20);
  });

  test('a network that ends in another layer than the loss wants still predicts, as the eager engine does', async () => {
    const network = [conv2d({ filters: 4, kernelSize: 3, inputShape: [SIZE, SIZE, 3] }), maxPooling2d()];
    const plan = () => ({
      network: sequential(network, { seed: 5 }).network,
      loss: lossNamed('binary_crossentropy'),
      optimizer: sgd(),
      rng: new Rng(0),
    });
    const batch = await brightAndDark({ batchSize: 2 }).next();
    const [graph, eager] = await Promise.all([
      (await chooseBackend('tensorflow')).open(plan()),
      (await chooseBackend('wasm', { threads: 1 })).open(plan()),
    ]);
    const [one, other] = [await graph.predict(batch), await eager.predict(batch)];
    expect(one.length).toBe(other.length);
    for (const [i, value] of one.entries()) expect(value).toBeCloseTo(other[i]!, 5);
    await expect(graph.trainStep(batch)).rejects.toThrow('no loss');
  });

  test('weights put back alone leave the optimizer’s slots as they are', async () => {
    const { engine } = await onGraph();
    await engine.trainStep(await brightAndDark().next());
    const { weights, slots } = await engine.read();
    const zeros = weights.map((layer) => layer.map((weight) => new Float32Array(weight.length)));
    await engine.write({ weights: zeros });
    expect(await engine.read()).toEqual({ weights: zeros, slots });
    expect(slots.flat(2).some((slot) => slot.some((value) => value !== 0))).toBe(true);
  });

  test('in bfloat16 it learns about the same, where the CPU computes in it; elsewhere it is refused', async () => {
    if (bfloat16Refusal(await cpuInfo())) {
      await expect(chooseBackend('tensorflow', { precision: 'bf16' })).rejects.toThrow('avx512_bf16');
      return;
    }
    const half = await modelOn(await chooseBackend('tensorflow', { precision: 'bf16' }), 1);
    const full = await onGraph();
    const batch = await brightAndDark({ batchSize: 32 }).next();
    const [one, other] = [await half.engine.trainStep(batch), await full.engine.trainStep(batch)];
    expect(one.loss).not.toBe(other.loss);
    expect(one.loss).toBeCloseTo(other.loss, 1);
  });
});

test('bf16 is refused with a word on the CPU that lacks it, and on wasm', async () => {
  expect(bfloat16Refusal('flags\t\t: fpu avx2 avx512f')?.message).toContain('no avx512_bf16');
  expect(bfloat16Refusal('flags\t\t: fpu avx512f avx512_bf16 sse4a')).toBeUndefined();
  await expect(chooseBackend('wasm', { precision: 'bf16' })).rejects.toMatchObject({
    code: 'backend_unavailable',
  });
});
