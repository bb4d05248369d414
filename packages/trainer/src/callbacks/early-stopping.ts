import type { Logs } from '../loop.js';
import { better, type Callback, modeOf } from './callback.js';

export interface EarlyStoppingOptions {
  /** val_loss when not given. */
  monitor?: string;
  /** Epochs without a better value after which the training ends. */
  patience?: number;
  /** How much better counts as better. */
  minDelta?: number;
}

/** Keras's EarlyStopping. */
export function earlyStopping({
  monitor = 'val_loss',
  patience = 0,
  minDelta = 0,
}: EarlyStoppingOptions = {}): Callback {
  const mode = modeOf(monitor);
  let best: number | undefined;
  let waited = 0;
  const see = (logs: Logs) => {
    const value = logs[monitor];
    if (value === undefined) return;
    if (better(mode, mode === 'min' ? value + minDelta : value - minDelta, best)) [best, waited] = [value, 0];
    else waited++;
  };
  return {
    onTrainBegin(run) {
      for (const logs of run.history) see(logs);
    },
    onEpochEnd(run, _epoch, logs) {
      see(logs);
      if (waited > 0 && waited >= patience) run.stopTraining = true;
    },
  };
}
