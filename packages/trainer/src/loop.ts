import { setImmediate } from 'node:timers/promises';
import type { Callback } from './callbacks/callback.js';
import type { Batch, Engine, StepResult } from './engines/engine.js';
import { TrainerError } from './errors.js';
import type { Sequential } from './model.js';

/** Batches without end: what `flowFromDirectory` gives. */
export interface BatchSource {
  readonly samples: number;
  readonly batchSize: number;
  next(): Promise<Batch>;
  /** Plain JSON; after `restore` the same batches follow. */
  state(): unknown;
  restore(state: unknown): void;
}

export interface Scores {
  loss: number;
  accuracy: number;
}

/** An epoch's numbers under Keras's names: loss, accuracy, val_loss, val_accuracy. */
export type Logs = Record<string, number>;

export interface History {
  /** One entry an epoch, those before a resume too. */
  epochs: Logs[];
  /** The signal came: the last epoch isn't finished. */
  interrupted: boolean;
}

export interface FitOptions {
  epochs: number;
  /** Batches of an epoch: ⌊samples / batchSize⌋ when not given, at least 1. */
  stepsPerEpoch?: number;
  validationData?: BatchSource;
  /** Every picture once when not given. */
  validationSteps?: number;
  initialEpoch?: number;
  callbacks?: Callback[];
  /** 0: no progress bar. */
  verbose?: 0 | 1;
  /** Ends the training after the step that is running. */
  signal?: AbortSignal;
}

/** Sums over the samples seen: their means are Keras's running metrics. */
export interface Totals {
  loss: number;
  correct: number;
  n: number;
}

/** A training under way: what callbacks see, and what a checkpoint keeps. */
export interface TrainingRun {
  readonly model: Sequential;
  readonly train: BatchSource;
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  readonly validationSteps: number;
  /** The epoch under way from 0, and how many of its steps are done. */
  epoch: number;
  step: number;
  totals: Totals;
  history: Logs[];
  /** A callback sets it to end the training after this epoch. */
  stopTraining: boolean;
}

/**
 * The training loop. Position, sums and history live in `run`, so that a run that is restored from a checkpoint goes
 * on in the middle of an epoch with the numbers it would have had.
 */
export async function fit(model: Sequential, train: BatchSource, options: FitOptions): Promise<History> {
  const { validationData, signal, callbacks = [] } = options;
  const engine = await model.engine();
  const run: TrainingRun = {
    model,
    train,
    epochs: options.epochs,
    stepsPerEpoch: options.stepsPerEpoch ?? Math.max(1, Math.floor(train.samples / train.batchSize)),
    validationSteps: validationData ? (options.validationSteps ?? stepsOf(validationData)) : 0,
    epoch: options.initialEpoch ?? 0,
    step: 0,
    totals: { loss: 0, correct: 0, n: 0 },
    history: [],
    stopTraining: false,
  };
  for (const callback of callbacks) await callback.onRestore?.(run);
  for (const callback of callbacks) await callback.onTrainBegin?.(run);
  try {
    while (run.epoch < run.epochs && !run.stopTraining) {
      for (const callback of callbacks) await callback.onEpochBegin?.(run);
      while (run.step < run.stepsPerEpoch && !signal?.aborted) {
        const batch = await train.next();
        const result = await engine.trainStep(batch);
        batch.release?.();
        run.step++;
        add(run.totals, result);
        await stopIfDiverged(result, run);
        for (const callback of callbacks) await callback.onTrainBatchEnd?.(run, result.n);
        await setImmediate(); // A step blocks: signals and workers are heard between steps.
      }
      const scores = signal?.aborted
        ? undefined
        : validationData && (await evaluate(engine, validationData, run.validationSteps, signal));
      if (signal?.aborted) {
        for (const callback of callbacks) await callback.onInterrupt?.(run);
        return { epochs: run.history, interrupted: true };
      }
      const logs: Logs = { ...means(run.totals) };
      if (scores) Object.assign(logs, { val_loss: scores.loss, val_accuracy: scores.accuracy });
      const ended = run.epoch;
      run.history.push(logs);
      Object.assign(run, { epoch: ended + 1, step: 0, totals: { loss: 0, correct: 0, n: 0 } });
      for (const callback of callbacks) await callback.onEpochEnd?.(run, ended, logs);
    }
    return { epochs: run.history, interrupted: false };
  } finally {
    for (const callback of callbacks) await callback.onTrainEnd?.(run);
  }
}

/**
 * Loss and accuracy over `steps` batches. The source is put back where it stood, so every call sees the same
 * pictures. Undefined when the signal came before the end.
 */
export async function evaluate(
  engine: Engine,
  source: BatchSource,
  steps = stepsOf(source),
  signal?: AbortSignal,
): Promise<Scores | undefined> {
  const start = source.state();
  const totals: Totals = { loss: 0, correct: 0, n: 0 };
  try {
    for (let i = 0; i < steps; i++) {
      if (signal?.aborted) return undefined;
      const batch = await source.next();
      add(totals, await engine.testStep(batch));
      batch.release?.();
      await setImmediate();
    }
  } finally {
    source.restore(start);
  }
  return means(totals);
}

export function means(totals: Totals): Scores {
  return { loss: totals.loss / totals.n, accuracy: totals.correct / totals.n };
}

function stepsOf(source: BatchSource): number {
  return Math.ceil(source.samples / source.batchSize);
}

function add(totals: Totals, result: StepResult): void {
  totals.loss += result.loss * result.n;
  totals.correct += result.correct;
  totals.n += result.n;
}

async function stopIfDiverged(result: StepResult, run: TrainingRun): Promise<void> {
  if (Number.isFinite(result.loss)) return;
  throw new TrainerError(
    'diverged',
    `The loss is ${result.loss} at step ${run.step} of epoch ${run.epoch + 1}`,
    {
      hint: `Train with a smaller learning rate (it was ${await run.model.learningRate()}), and check that pictures are scaled to 0…1.`,
    },
  );
}
