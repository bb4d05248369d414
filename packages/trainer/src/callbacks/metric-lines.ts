import type { Callback } from './callback.js';

const toStdout = (text: string): unknown => process.stdout.write(text);

/**
 * Prints each epoch's numbers as Floyd's metric lines, which the server charts:
 * `{"metric":"val_acc","value":0.75,"epoch":9,"step":9}`. Epochs count from 0; acc is accuracy.
 */
export function metricLines({ write = toStdout } = {}): Callback {
  return {
    onEpochEnd(_run, epoch, logs) {
      for (const [name, value] of Object.entries(logs)) {
        const metric = name.replace('accuracy', 'acc');
        write(`${JSON.stringify({ metric, value, epoch, step: epoch })}\n`);
      }
    },
  };
}
