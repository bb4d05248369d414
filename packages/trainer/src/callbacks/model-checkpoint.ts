import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import type { Logs } from '../loop.js';
import { better, type Callback, modeOf } from './callback.js';

export interface ModelCheckpointOptions {
  /** May hold `{epoch:02d}` (from 1) and `{val_accuracy:.2f}`, as in Keras. */
  filepath: string;
  /** val_loss when not given. */
  monitor?: string;
  /** Writes only where the monitored value is the best so far. */
  saveBestOnly?: boolean;
}

/** Keras's way of naming a file by an epoch's numbers. */
function formatName(template: string, values: Logs): string {
  return template.replace(/\{(\w+)(?::(0?)(\d*)(?:\.(\d+)f|d))?\}/g, (whole, name, zero, width, digits) => {
    const value = values[name];
    if (value === undefined) return whole;
    const text = digits === undefined ? String(value) : value.toFixed(Number(digits));
    return text.padStart(Number(width || 0), zero ? '0' : ' ');
  });
}

/** Keras's ModelCheckpoint: writes the weights (HDF5) after each epoch, or after each that is the best so far. */
export function modelCheckpoint({
  filepath,
  monitor = 'val_loss',
  saveBestOnly = false,
}: ModelCheckpointOptions): Callback {
  const mode = modeOf(monitor);
  let best: number | undefined;
  const isBest = (logs: Logs) => {
    const value = logs[monitor];
    if (value === undefined || !better(mode, value, best)) return false;
    best = value;
    return true;
  };
  return {
    onTrainBegin(run) {
      for (const logs of run.history) isBest(logs);
    },
    async onEpochEnd(run, epoch, logs) {
      if (!isBest(logs) && saveBestOnly) return;
      const file = formatName(filepath, { ...logs, epoch: epoch + 1 });
      await mkdir(path.dirname(file), { recursive: true });
      await run.model.saveWeights(file);
    },
  };
}
