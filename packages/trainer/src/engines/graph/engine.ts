import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { encodeSavedModel } from '@mycloud/tfevents';
import { TrainerError } from '../../errors.js';
import { rateAfter } from '../../optimizers.js';
import type { Batch, Engine, StepResult, TrainingPlan, Weights } from '../engine.js';
import type { Float } from './graph-builder.js';
import type { Feed } from './messages.js';
import { optimizerEmitters } from './optimizers.js';
import type { TensorflowThread } from './thread.js';
import { type SignatureName, type TrainingGraph, trainingGraph } from './training-graph.js';

/** A step as one TensorFlow graph: written here, loaded and run in TensorFlow's thread. */
export class GraphEngine implements Engine {
  steps = 0;

  private constructor(
    private readonly plan: TrainingPlan,
    private readonly thread: TensorflowThread,
    private readonly session: number,
    private readonly signatures: TrainingGraph['signatures'],
  ) {}

  /** Loads the plan's graph with the network's first weights. */
  static async open(plan: TrainingPlan, thread: TensorflowThread, precision: Float): Promise<GraphEngine> {
    const { nodes, signatures } = trainingGraph(plan, precision);
    // TensorFlow keeps sessions by their folder: each has one of its own, gone once it is read.
    const folder = await mkdtemp(path.join(tmpdir(), 'train-graph-'));
    try {
      await writeFile(path.join(folder, 'saved_model.pb'), encodeSavedModel(nodes, signatures));
      const engine = new GraphEngine(plan, thread, await thread.load(folder), signatures);
      const zeros = plan.network.map(({ specs }) =>
        specs.map((s) =>
          Array.from(
            { length: s.moving ? 0 : plan.optimizer.slots },
            () => new Float32Array(s.initial.length),
          ),
        ),
      );
      await engine.write({
        weights: plan.network.map(({ specs }) => specs.map((s) => s.initial)),
        slots: zeros,
      });
      return engine;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async trainStep(batch: Batch): Promise<StepResult> {
    const { x, y, n } = batch;
    const { rng, optimizer } = this.plan;
    // Drawn for every step, dropout or not: a checkpoint's generator then stands where the step does.
    const seed = Int32Array.of(rng.uint32(), rng.uint32());
    const { rate } = optimizerEmitters[optimizer.name]!;
    const fed = rate(optimizer.config, rateAfter(optimizer, this.steps), this.steps + 1);
    const result = this.judge(batch, await this.run('train', { x, y, seed, rate: Float32Array.of(fed) }, n));
    this.steps++;
    return result;
  }

  async testStep(batch: Batch): Promise<StepResult> {
    const { x, y, n } = batch;
    return this.judge(batch, await this.run('test', { x, y }, n));
  }

  async predict({ x, n }: Omit<Batch, 'y'>): Promise<Float32Array> {
    const [y] = await this.run('predict', { x }, n);
    return y!;
  }

  async read(): Promise<Weights> {
    const values = (await this.run('weights', {})).values();
    const next = () => values.next().value!;
    const { network, optimizer } = this.plan;
    return {
      weights: network.map(({ specs }) => specs.map(next)),
      slots: network.map(({ specs }) =>
        specs.map((s) => Array.from({ length: s.moving ? 0 : optimizer.slots }, next)),
      ),
    };
  }

  async write({ weights, slots }: Pick<Weights, 'weights'> & Partial<Weights>): Promise<void> {
    const name = slots ? 'init' : 'write';
    const values = [...weights.flat(), ...(slots ?? []).flat(2)];
    const keys = Object.keys(this.signatures[name].inputs);
    await this.run(name, Object.fromEntries(keys.map((key, i) => [key, values[i]!])));
  }

  async close(): Promise<void> {
    await this.thread.drop(this.session);
  }

  private judge({ y, n }: Batch, [loss, z]: Float32Array[]): StepResult {
    return { loss: loss![0]!, correct: this.plan.loss.correct(z!, y, z!.length / n), n };
  }

  /** Runs a signature; `n` is the size of what is fed where its shape leaves one open. */
  private run(name: SignatureName, fed: Record<string, Float32Array | Int32Array>, n?: number) {
    const signature = this.signatures[name];
    if (!signature) throw new TrainerError('internal', `This network has no loss, so it can't ${name}`);
    const { inputs, outputs } = signature;
    const feeds = Object.entries(inputs).map(([key, { name: ref, shape }]): Feed => {
      return { ref, shape: shape.map((size) => (size === -1 ? n! : size)), data: fed[key]! };
    });
    return this.thread.run(
      this.session,
      feeds,
      Object.values(outputs).map((output) => output.name),
    );
  }
}
