import type { LossName } from '../../losses.js';
import type { OptimizerSetup } from '../../optimizers.js';
import type { Batch, StepResult, Weights } from '../engine.js';

/** What a replica's thread is given once. */
export interface ReplicaSetup {
  /** The network as model.json: functions don't cross to another thread. */
  model: string;
  loss: LossName;
  optimizer: OptimizerSetup;
  /** Which replica it is, from 0. */
  index: number;
  /** For each replica, one after the other, one float32 for each number of the network's weights. */
  exchange: SharedArrayBuffer;
}

/** What a replica can be asked, and what it answers. */
interface ReplicaCalls {
  /** Puts the changes its share of a batch asks for into the exchange. `seed`: of dropout. */
  compute(given: { batch: Batch; seed: number }): StepResult;
  /** Changes its weights by the mean of all replicas' changes, replica r counting `shares[r]`. */
  apply(given: { shares: number[]; stepsTaken: number; rate: number }): void;
  test(batch: Batch): StepResult;
  predict(batch: Omit<Batch, 'y'>): Float32Array;
  read(given: undefined): Weights;
  write(state: Pick<Weights, 'weights'> & Partial<Weights>): void;
}

export type CallName = keyof ReplicaCalls;
export type Given<N extends CallName> = Parameters<ReplicaCalls[N]>[0];
export type Answer<N extends CallName> = ReturnType<ReplicaCalls[N]>;

export interface Call {
  id: number;
  name: CallName;
  given: unknown;
}
export type Reply = { id: number; answer: unknown } | { id: number; failed: string };
