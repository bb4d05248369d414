import { parentPort, workerData } from 'node:worker_threads';
import type { Tensor } from '@tensorflow/tfjs-core';
import * as tf from '@tensorflow/tfjs-core';
import { startWasm } from '../../backends/start-wasm.js';
import { wasmKernels } from '../../backends/wasm-kernels.js';
import { count } from '../../layers/layer.js';
import { lossNamed } from '../../losses.js';
import { modelFromJson } from '../../model-json/read.js';
import { buildNetwork } from '../../network.js';
import { optimizerFrom } from '../../optimizers.js';
import { Rng } from '../../rng.js';
import { EagerEngine } from '../eager.js';
import type { Answer, Call, CallName, Given, ReplicaSetup, Reply } from './protocol.js';

/*
 * One thread of data-parallel training: a whole network on its own wasm heap. Every replica computes on its share of
 * the batch, and every replica then makes the same change to its weights, so they stay equal without being sent.
 */
const setup = workerData as ReplicaSetup;
await startWasm();
const network = buildNetwork(modelFromJson(setup.model, 'model.json'), new Rng(0));
const optimizer = optimizerFrom(setup.optimizer);
const engine = new EagerEngine(tf, wasmKernels, {
  network,
  loss: lossNamed(setup.loss),
  optimizer,
  rng: new Rng(0),
});
const numbers = network.flatMap(({ specs }) => specs).reduce((sum, { shape }) => sum + count(shape), 0);
const part = (replica: number) => new Float32Array(setup.exchange, replica * numbers * 4, numbers);

/** The mean of all replicas' changes, added up in the order of the replicas: the same numbers in every thread. */
function meanChanges(shares: number[]): Float32Array {
  const sums = new Float64Array(numbers);
  for (const [replica, share] of shares.entries()) {
    if (share === 0) continue;
    const changes = part(replica);
    for (let i = 0; i < numbers; i++) sums[i] = sums[i]! + changes[i]! * share;
  }
  return new Float32Array(sums); // `from` would go through it number by number
}

const calls: { [N in CallName]: (given: Given<N>) => Answer<N> | Promise<Answer<N>> } = {
  compute({ batch, seed }) {
    const { result, changes } = engine.compute(batch, new Rng(seed));
    const mine = part(setup.index);
    let at = 0;
    for (const tensor of changes.flat()) {
      mine.set(tensor.dataSync<'float32'>(), at);
      at += tensor.size;
    }
    tf.dispose(changes);
    return result;
  },
  apply({ shares, stepsTaken, rate }) {
    const mean = meanChanges(shares);
    let at = 0;
    const changes: Tensor[][] = network.map(({ specs }) =>
      specs.map(({ shape }) => {
        const from = at;
        at += count(shape);
        return tf.tensor(mean.subarray(from, at), shape);
      }),
    );
    engine.steps = stepsTaken;
    optimizer.learningRate = rate;
    engine.apply(changes);
    tf.dispose(changes);
  },
  test: (batch) => engine.testStep(batch),
  predict: (batch) => engine.predict(batch),
  read: () => engine.read(),
  write: (state) => engine.write(state),
};

const port = parentPort!;
port.on('message', ({ id, name, given }: Call) => {
  const call = calls[name] as (given: unknown) => unknown;
  Promise.resolve()
    .then(() => call(given))
    .then(
      (answer) => port.postMessage({ id, answer } satisfies Reply),
      (error: Error) => port.postMessage({ id, failed: error.stack ?? error.message } satisfies Reply),
    );
});
