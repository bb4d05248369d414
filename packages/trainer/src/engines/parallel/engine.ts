import { count } from '../../layers/layer.js';
import { modelToJson } from '../../model-json/write.js';
import { rateAfter, setupOf } from '../../optimizers.js';
import type { Batch, Engine, StepResult, TrainingPlan, Weights } from '../engine.js';
import { inARow, shares as sharesOf, together } from '../shares.js';
import { type ReplicaThread, startReplica } from './thread.js';

/**
 * Data-parallel training over threads: each holds a replica of the network and computes on its share of the batch;
 * gradients are averaged in the order of the threads. One seed and one number of threads give the same numbers bit for
 * bit; another number of threads gives others, within float32's rounding. Batch normalisation and dropout see the
 * share, not the batch: with them another number of threads is another (as good) training.
 */
export class ParallelEngine implements Engine {
  steps = 0;
  private readonly replicas: ReplicaThread[];

  private constructor(
    private readonly plan: TrainingPlan,
    threads: number,
  ) {
    const { network, loss, optimizer } = plan;
    const numbers = network.flatMap(({ specs }) => specs).reduce((sum, { shape }) => sum + count(shape), 0);
    const shared = {
      model: modelToJson(network),
      loss: loss.name,
      optimizer: setupOf(optimizer),
      exchange: new SharedArrayBuffer(threads * numbers * Float32Array.BYTES_PER_ELEMENT),
    };
    this.replicas = Array.from({ length: threads }, (_, index) => startReplica({ ...shared, index }));
  }

  static async open(plan: TrainingPlan, threads: number): Promise<ParallelEngine> {
    const engine = new ParallelEngine(plan, threads);
    await engine.write({ weights: plan.network.map(({ specs }) => specs.map((spec) => spec.initial)) });
    return engine;
  }

  async trainStep(batch: Batch): Promise<StepResult> {
    const { optimizer, rng } = this.plan;
    const shares = this.split(batch);
    // Drawn for every thread, also one without a share: the generator's state doesn't depend on the batch's size.
    const seeds = this.replicas.map(() => rng.uint32());
    const results = await this.each(shares, (replica, share, i) =>
      replica.ask('compute', { batch: share, seed: seeds[i]! }),
    );
    const given = {
      shares: shares.map((share) => (share ? share.n / batch.n : 0)),
      stepsTaken: this.steps,
      rate: rateAfter(optimizer, this.steps),
    };
    await Promise.all(this.replicas.map((replica) => replica.ask('apply', given)));
    this.steps++;
    return together(results);
  }

  async testStep(batch: Batch): Promise<StepResult> {
    return together(await this.each(this.split(batch), (replica, share) => replica.ask('test', share)));
  }

  async predict(batch: Omit<Batch, 'y'>): Promise<Float32Array> {
    const shares = this.split({ ...batch, y: new Float32Array(0) });
    return inARow(await this.each(shares, (replica, share) => replica.ask('predict', share)));
  }

  /** Of the first replica: all are equal. */
  read(): Promise<Weights> {
    return this.replicas[0]!.ask('read', undefined);
  }

  async write(state: Pick<Weights, 'weights'> & Partial<Weights>): Promise<void> {
    await Promise.all(this.replicas.map((replica) => replica.ask('write', state)));
  }

  async close(): Promise<void> {
    await Promise.all(this.replicas.map((replica) => replica.close()));
  }

  /** Each replica's rows; undefined where there are fewer rows than replicas. */
  private split({ x, y, n, shape }: Batch): (Batch | undefined)[] {
    const rows = (data: Float32Array, from: number, to: number) =>
      data.slice((from * data.length) / n, (to * data.length) / n);
    return sharesOf(n, this.replicas.length).map(({ from, to }) => {
      if (from === to) return undefined;
      return {
        x: rows(x, from, to),
        y: rows(y, from, to),
        n: to - from,
        shape: [to - from, ...shape.slice(1)],
      };
    });
  }

  private async each<T>(
    shares: (Batch | undefined)[],
    ask: (replica: ReplicaThread, share: Batch, i: number) => Promise<T>,
  ): Promise<T[]> {
    const asked = shares.flatMap((share, i) => (share ? [ask(this.replicas[i]!, share, i)] : []));
    return Promise.all(asked);
  }
}
