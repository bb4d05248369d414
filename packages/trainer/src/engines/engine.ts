import type { Loss } from '../losses.js';
import type { BuiltLayer } from '../network.js';
import type { Optimizer } from '../optimizers.js';
import type { Rng } from '../rng.js';

/** Pictures and answers: x is n·h·w·c values in 0…1, y is n or n·classes. */
export interface Batch {
  x: Float32Array;
  y: Float32Array;
  n: number;
  shape: number[];
  /** Called once it is used: its memory may be another batch's then. */
  release?(): void;
}

/** Of one batch: the mean loss, and how many samples were right. */
export type StepResult = { loss: number; correct: number; n: number };

/** What is trained, and how. */
export interface TrainingPlan {
  network: readonly BuiltLayer[];
  loss: Loss;
  optimizer: Optimizer;
  /** Dropout's generator. */
  rng: Rng;
}

/** Every weight in the order of the layers, and the optimizer's slots beside it: copies, on this side. */
export interface Weights {
  /** By layer, then by weight. */
  weights: Float32Array[][];
  /** By layer, by weight, then by the optimizer's slot. */
  slots: Float32Array[][][];
}

/** A network on a backend: holds its weights and the optimizer's slots there, and runs steps on them. */
export interface Engine {
  /** Steps taken since the weights were drawn. */
  steps: number;
  /** One step of training: forward, loss, backward, update. */
  trainStep(batch: Batch): Promise<StepResult>;
  /** Loss and hits of a batch without learning from it. */
  testStep(batch: Batch): Promise<StepResult>;
  /** The last activation's values: [n] or [n · classes]. */
  predict(batch: Omit<Batch, 'y'>): Promise<Float32Array>;
  read(): Promise<Weights>;
  /** Puts back what `read` gave (slots may be left out: they stay as they are). */
  write(state: Pick<Weights, 'weights'> & Partial<Weights>): Promise<void>;
  /** Gives back what it holds. */
  close(): Promise<void>;
}
