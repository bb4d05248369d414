import { TrainerError } from '../errors.js';
import type { Logs, TrainingRun } from '../loop.js';
import { type Callback, modeOf } from './callback.js';

export interface ReduceLROnPlateauOptions {
  /** val_loss when not given. */
  monitor?: string;
  /** What the learning rate is multiplied by; 0.1 when not given. */
  factor?: number;
  /** Epochs without a better value after which it is; 10 when not given. */
  patience?: number;
  /** How much better counts as better; 1e-4 when not given. */
  minDelta?: number;
  /** Epochs after a reduction that aren't counted. */
  cooldown?: number;
  minLr?: number;
}

/** Keras's ReduceLROnPlateau. */
export function reduceLROnPlateau(options: ReduceLROnPlateauOptions = {}): Callback {
  const {
    monitor = 'val_loss',
    factor = 0.1,
    patience = 10,
    minDelta = 1e-4,
    cooldown = 0,
    minLr = 0,
  } = options;
  if (!(factor > 0 && factor < 1)) {
    throw new TrainerError('bad_option', `factor is ${factor}: it must be above 0 and below 1.`);
  }
  const sign = modeOf(monitor) === 'max' ? -1 : 1;
  let best = Number.POSITIVE_INFINITY;
  let waited = 0;
  let cooling = 0;
  const see = (run: TrainingRun, logs: Logs) => {
    const value = logs[monitor];
    if (value === undefined) return;
    if (cooling > 0) {
      cooling--;
      waited = 0;
    }
    if (sign * value < best - minDelta) {
      best = sign * value;
      waited = 0;
    } else if (cooling === 0 && ++waited >= patience) {
      const { optimizer } = run.model;
      const rate = optimizer.learningRate as number;
      if (rate <= minLr) return;
      optimizer.learningRate = Math.max(rate * factor, minLr);
      cooling = cooldown;
      waited = 0;
    }
  };
  return {
    onTrainBegin(run) {
      if (typeof run.model.optimizer.learningRate !== 'number') {
        throw new TrainerError('bad_option', 'reduceLROnPlateau wants a learning rate that is a number', {
          hint: 'Leave out either the schedule or the callback.',
        });
      }
      // A resumed training makes the same reductions again: they follow from the epochs' numbers.
      for (const logs of run.history) see(run, logs);
    },
    onEpochEnd: (run, _epoch, logs) => see(run, logs),
  };
}
