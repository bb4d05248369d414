import type { Backend } from './backends/backend.js';
import { chooseBackend } from './backends/choose.js';
import type { Callback } from './callbacks/callback.js';
import { progressBar } from './callbacks/progress-bar.js';
import type { Batch, Engine } from './engines/engine.js';
import { TrainerError } from './errors.js';
import type { Layer } from './layers/layer.js';
import { isActivation } from './layers/simple.js';
import { type BatchSource, evaluate, type FitOptions, fit, type History, type Scores } from './loop.js';
import { type Loss, type LossName, lossNamed } from './losses.js';
import { modelToJson } from './model-json/write.js';
import { type BuiltLayer, buildNetwork, summaryOf } from './network.js';
import { type Optimizer, type OptimizerName, optimizerNamed, rateAfter } from './optimizers.js';
import { Rng, type RngState } from './rng.js';
import { namedWeights, readWeightsFor } from './weights/fit.js';
import { type LayerWeights, writeWeights } from './weights/hdf5.js';

export interface CompileOptions {
  loss: LossName;
  /** A name, with Keras's defaults, or `rmsprop({ learningRate: 0.0001 })`. */
  optimizer: OptimizerName | Optimizer;
  /** Accuracy is always measured; the list is there because Keras has it. */
  metrics?: 'accuracy'[];
  /** Where to compute; the best that can be had when not given. */
  backend?: Backend;
}

/** All that a step changes: what a checkpoint holds of a model. */
export interface ModelState {
  steps: number;
  rng: RngState;
  weights: Float32Array[][];
  slots: Float32Array[][][];
}

/** Keras's Sequential: layers in a row, trained by `fit`. */
export class Sequential {
  readonly network: BuiltLayer[];
  private readonly rng: Rng;
  private compiled: { loss: Loss; optimizer: Optimizer; backend?: Backend } | undefined;
  private started: Engine | undefined;

  constructor(layers: Layer[], seed: number) {
    this.rng = new Rng(seed);
    this.network = buildNetwork(layers, this.rng);
  }

  compile({ loss, optimizer, backend }: CompileOptions): void {
    this.compiled = {
      loss: lossNamed(loss),
      optimizer: typeof optimizer === 'string' ? optimizerNamed(optimizer) : optimizer,
      backend,
    };
  }

  get optimizer(): Optimizer {
    return this.ready().optimizer;
  }

  /** The learning rate of the next step. */
  async learningRate(): Promise<number> {
    return rateAfter(this.optimizer, (await this.engine()).steps);
  }

  /** The network on its backend; starts the backend the first time. */
  async engine(): Promise<Engine> {
    const { loss, optimizer, backend } = this.ready();
    const last = this.network.at(-1)?.layer;
    if (!isActivation(last) || last.activation !== loss.activation) {
      throw new TrainerError(
        'bad_option',
        `${loss.name} wants activation('${loss.activation}') as the last layer`,
      );
    }
    const plan = { network: this.network, loss, optimizer, rng: this.rng };
    this.started ??= await (backend ?? (await chooseBackend('auto'))).open(plan);
    return this.started;
  }

  /**
   * Trains. Draws a progress bar unless `verbose` is 0.
   * @throws TrainerError 'diverged' where the loss is no number any more.
   */
  async fit(train: BatchSource, options: FitOptions): Promise<History> {
    const shown: Callback[] = options.verbose === 0 ? [] : [progressBar()];
    return fit(this, train, { ...options, callbacks: [...shown, ...(options.callbacks ?? [])] });
  }

  /** Mean loss and accuracy over `steps` batches; over every picture once when not given. */
  async evaluate(source: BatchSource, { steps }: { steps?: number } = {}): Promise<Scores> {
    const result = await evaluate(await this.engine(), source, steps);
    return result!;
  }

  /** Probabilities of the pictures of one batch: [n] or [n · classes]. */
  async predict(batch: Omit<Batch, 'y'>): Promise<Float32Array> {
    return (await this.engine()).predict(batch);
  }

  /** Prints the table of layers. */
  summary(print: (text: string) => void = console.log): void {
    print(summaryOf(this.network));
  }

  /** The layers as Keras's model.json: `model_from_json` builds them there, `modelFromJson` here. */
  toJson(): string {
    return modelToJson(this.network);
  }

  /** Writes the weights as HDF5, as Keras 2 does: `load_weights` reads it there. */
  async saveWeights(path: string): Promise<void> {
    await writeWeights(path, await this.layerWeights());
  }

  /** Reads weights that `saveWeights` or Keras 2 wrote for the same layers, in their order. */
  async loadWeights(path: string): Promise<void> {
    await (await this.engine()).write({ weights: await readWeightsFor(path, this.network) });
  }

  /** Every layer with its weights, as they are now. */
  async layerWeights(): Promise<LayerWeights[]> {
    const { weights } = await (await this.engine()).read();
    return namedWeights(this.network, weights);
  }

  async state(): Promise<ModelState> {
    const engine = await this.engine();
    return { steps: engine.steps, rng: this.rng.state(), ...(await engine.read()) };
  }

  async restore(state: ModelState): Promise<void> {
    const engine = await this.engine();
    await engine.write(state);
    engine.steps = state.steps;
    this.rng.restore(state.rng);
  }

  private ready(): NonNullable<typeof this.compiled> {
    if (this.compiled) return this.compiled;
    throw new TrainerError('bad_option', 'The model has no loss and no optimizer yet', {
      hint: "Call model.compile({ loss: 'binary_crossentropy', optimizer: 'rmsprop' }) first.",
    });
  }
}

/** Layers in a row. `seed` decides the first weights and dropout's draws; drawn itself when not given. */
export function sequential(layers: Layer[], { seed }: { seed?: number } = {}): Sequential {
  return new Sequential(layers, seed ?? Math.floor(Math.random() * 2 ** 31));
}
