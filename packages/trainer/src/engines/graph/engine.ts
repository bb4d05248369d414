import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { encodeSavedModel } from '@mycloud/tfevents';
import { TrainerError } from '../../errors.js';
import { rateAfter } from '../../optimizers.js';
import type { Batch, Engine, StepResult, TrainingPlan, Weights } from '../engine.js';
import { inARow, shares, together } from '../shares.js';
import type { Float } from './graph-builder.js';
import type { Feed, Run } from './messages.js';
import { optimizerEmitters } from './optimizers.js';
import { rowsAtOnce } from './rows-at-once.js';
import { SharedRooms } from './shared-rooms.js';
import type { TensorflowThread } from './thread.js';
import { type SignatureName, type StepName, type TrainingGraph, trainingGraph } from './training-graph.js';

type Fed = Record<string, Float32Array | Int32Array>;

/** A step as one TensorFlow graph: written here, loaded and run in TensorFlow's thread. */
export class GraphEngine implements Engine {
  steps = 0;
  private readonly rooms = new SharedRooms();

  private constructor(
    private readonly plan: TrainingPlan,
    private readonly thread: TensorflowThread,
    private readonly session: number,
    private readonly signatures: TrainingGraph['signatures'],
    private readonly rows: { train: number; test: number },
  ) {}

  /** Loads the plan's graph with the network's first weights. `rows`: of a batch, how many are computed at once. */
  static async open(
    plan: TrainingPlan,
    thread: TensorflowThread,
    precision: Float,
    rows = rowsAtOnce(plan.network, thread.gpu || precision === 'bfloat16'),
  ): Promise<GraphEngine> {
    const { nodes, signatures } = trainingGraph(plan, precision);
    // TensorFlow keeps sessions by their folder: each has one of its own, gone once it is read.
    const folder = await mkdtemp(path.join(tmpdir(), 'train-graph-'));
    try {
      await writeFile(path.join(folder, 'saved_model.pb'), encodeSavedModel(nodes, signatures));
      const session = await thread.load(folder);
      const engine = new GraphEngine(plan, thread, session, signatures, rows);
      await engine.assign(
        'start',
        plan.network.flatMap(({ specs }) => specs.map((spec) => spec.initial)),
      );
      return engine;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  async trainStep(batch: Batch): Promise<StepResult> {
    const { rng, optimizer } = this.plan;
    // Drawn for every step, dropout or not: a checkpoint's generator then stands where the step does.
    const seed = Int32Array.of(rng.uint32(), rng.uint32());
    const { rate } = optimizerEmitters[optimizer.name]!;
    const fed = rate(optimizer.config, rateAfter(optimizer, this.steps), this.steps + 1);
    const names = (part: number, parts: number): StepName => {
      if (parts === 1) return 'train';
      if (part === 0) return 'train_first';
      return part + 1 < parts ? 'train_more' : 'train_last';
    };
    const scored = await this.inShares(batch, this.rows.train, names, (from) => ({
      seed,
      rate: Float32Array.of(fed),
      rows: Int32Array.of(from, batch.n),
    }));
    this.steps++;
    return this.judge(batch, scored);
  }

  async testStep(batch: Batch): Promise<StepResult> {
    return this.judge(batch, await this.inShares(batch, this.rows.test, () => 'test'));
  }

  async predict(batch: Omit<Batch, 'y'>): Promise<Float32Array> {
    const whole = { ...batch, y: new Float32Array(0) };
    return inARow((await this.inShares(whole, this.rows.test, () => 'predict')).flat());
  }

  async read(): Promise<Weights> {
    const [held] = await this.thread.run(this.session, [this.run('weights', {})]);
    const values = held!.values();
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
    await this.assign(slots ? 'restore' : 'write', [...weights.flat(), ...(slots ?? []).flat(2)]);
  }

  async close(): Promise<void> {
    await this.thread.drop(this.session);
  }

  /** What the shares' losses and z are for their batch. */
  private judge({ y, n }: Batch, scored: Float32Array[][]): StepResult {
    const units = y.length / n;
    const parts = shares(n, scored.length).map(({ from, to }, i) => {
      const [loss, z] = scored[i]!;
      const answers = y.subarray(from * units, to * units);
      return { loss: loss![0]!, correct: this.plan.loss.correct(z!, answers, units), n: to - from };
    });
    return together(parts);
  }

  /** Runs a batch in shares of at most `most` rows, `more` being fed besides pictures and answers. */
  private async inShares(
    { x, y, n }: Batch,
    most: number,
    name: (part: number, parts: number) => SignatureName,
    more: (from: number) => Fed = () => ({}),
  ): Promise<Float32Array[][]> {
    const parts = shares(n, Math.max(1, Math.ceil(n / most)));
    return this.rooms.with(x, (shared) => {
      const [pixels, units] = [x.length / n, y.length / n];
      const runs = parts.map(({ from, to }, i) => {
        const fed = {
          x: shared.subarray(from * pixels, to * pixels),
          y: y.slice(from * units, to * units),
        };
        return this.run(name(i, parts.length), { ...fed, ...more(from) }, to - from);
      });
      return this.thread.run(this.session, runs);
    });
  }

  private async assign(name: 'start' | 'write' | 'restore', values: Float32Array[]): Promise<void> {
    const keys = Object.keys(this.signatures[name].inputs);
    const fed = Object.fromEntries(keys.map((key, i) => [key, values[i]!]));
    await this.thread.run(this.session, [this.run(name, fed)]);
  }

  /** A signature's run; `n` is the size of what is fed where its shape leaves one open. */
  private run(name: SignatureName, fed: Fed, n?: number): Run {
    const signature = this.signatures[name];
    if (!signature) throw new TrainerError('internal', `This network has no loss, so it can't ${name}`);
    const { inputs, outputs } = signature;
    const feeds = Object.entries(inputs).map(([key, { name: ref, shape }]): Feed => {
      return { ref, shape: shape.map((size) => (size === -1 ? n! : size)), data: fed[key]! };
    });
    return { feeds, fetches: Object.values(outputs).map((output) => output.name) };
  }
}
