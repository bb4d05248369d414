import type { Logs, TrainingRun } from '../loop.js';

/** What may happen at each point of a training; every part is optional. */
export interface Callback {
  /** Before all others' onTrainBegin: puts a checkpoint back into the run. */
  onRestore?(run: TrainingRun): void | Promise<void>;
  onTrainBegin?(run: TrainingRun): void | Promise<void>;
  onEpochBegin?(run: TrainingRun): void | Promise<void>;
  /** `n`: the samples of the batch. */
  onTrainBatchEnd?(run: TrainingRun, n: number): void | Promise<void>;
  /** `run.epoch` is the next epoch already; `epoch` is the one that ended, from 0. */
  onEpochEnd?(run: TrainingRun, epoch: number, logs: Logs): void | Promise<void>;
  /** The signal came; the run stands after a whole step. */
  onInterrupt?(run: TrainingRun): void | Promise<void>;
  /** At the end, whatever the end. */
  onTrainEnd?(run: TrainingRun): void | Promise<void>;
}

export type Mode = 'min' | 'max';

/** Whether more is better: yes for accuracies, as Keras's mode "auto" decides. */
export function modeOf(monitor: string): Mode {
  return monitor.includes('acc') ? 'max' : 'min';
}

export function better(mode: Mode, value: number, best: number | undefined): boolean {
  return best === undefined || (mode === 'min' ? value < best : value > best);
}
