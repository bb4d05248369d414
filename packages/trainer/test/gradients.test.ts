import { expect, test } from 'vitest';
import { chooseBackend, sgd } from '../src/index.js';
import { brightAndDark, smallModel } from './support.js';

test('with dropout too, the gradient is the slope of the loss: checked by moving the weights along it', async () => {
  const model = smallModel({ seed: 3 });
  const rate = 1e-3;
  const optimizer = sgd({ learningRate: rate });
  model.compile({ loss: 'binary_crossentropy', optimizer, backend: await chooseBackend('wasm') });
  const engine = await model.engine();
  const batch = await brightAndDark({ batchSize: 64 }).next();
  const start = await model.state();

  /** The loss from given weights, dropping what the first step dropped. */
  const lossAt = async (weights: Float32Array[][]) => {
    await model.restore({ ...start, weights });
    return (await engine.trainStep(batch)).loss;
  };
  await lossAt(start.weights);
  const gradient = (await engine.read()).weights.map((layer, i) =>
    layer.map((weight, w) => weight.map((v, j) => (start.weights[i]![w]![j]! - v) / rate)),
  );

  for (const [i, layer] of gradient.entries()) {
    for (const [w, slope] of layer.entries()) {
      const length = Math.hypot(...slope);
      const moved = (by: number) =>
        start.weights.map((values, a) =>
          values.map((value, b) =>
            a === i && b === w ? value.map((v, j) => v + (by * slope[j]!) / length) : value,
          ),
        );
      const step = 2e-3;
      const measured = ((await lossAt(moved(step))) - (await lossAt(moved(-step)))) / (2 * step);
      expect(measured / length, `${model.network[i]!.name}, weight ${w}`).toBeCloseTo(1, 1);
    }
  }
});
