import { appendFile, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Logs } from '../loop.js';
import type { Callback } from './callback.js';

export interface CsvLoggerOptions {
  filename: string;
  separator?: string;
  /** Keeps what an earlier training wrote. */
  append?: boolean;
}

/** Keras's CSVLogger: a row an epoch, the columns epoch and then the logs by name. */
export function csvLogger({ filename, separator = ',', append = false }: CsvLoggerOptions): Callback {
  const row = (values: (string | number)[]) => `${values.join(separator)}\n`;
  const values = (logs: Logs) =>
    Object.keys(logs)
      .sort()
      .map((name) => logs[name]!);
  let headed = append;
  return {
    async onTrainBegin(run) {
      if (append) return;
      await mkdir(path.dirname(filename), { recursive: true });
      const [first] = run.history;
      // A resumed training writes its earlier epochs again: the file may be one of another attempt.
      const rows = run.history.map((logs, epoch) => row([epoch, ...values(logs)]));
      await writeFile(filename, first ? row(['epoch', ...Object.keys(first).sort()]) + rows.join('') : '');
      headed = first !== undefined;
    },
    async onEpochEnd(_run, epoch, logs) {
      const head = headed ? '' : row(['epoch', ...Object.keys(logs).sort()]);
      headed = true;
      await appendFile(filename, head + row([epoch, ...values(logs)]));
    },
  };
}
