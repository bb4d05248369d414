import type { Backend } from '../backends/backend.js';
import type { DirectoryIterator } from '../images/index.js';
import type { History } from '../loop.js';
import type { Sequential } from '../model.js';

/** What `train` says besides the progress bar; with --json, as JSON lines. */
export interface Report {
  note(text: string): void;
  start(backend: Backend, train: DirectoryIterator, validation: DirectoryIterator, model: Sequential): void;
  end(history: History, weights: string, seconds: number): void;
}

const BROKEN_SHOWN = 5;

function bestEpoch(history: History): number {
  const score = (i: number) => history.epochs[i]!.val_accuracy ?? history.epochs[i]!.accuracy!;
  return history.epochs.reduce((best, _, i) => (score(i) > score(best) ? i : best), 0);
}

export function createReport(json: boolean, write: (text: string) => void): Report {
  const line = (text: string) => write(`${text}\n`);
  const event = (value: object) => line(JSON.stringify(value));
  if (json) {
    return {
      note: (text) => event({ event: 'note', text }),
      start: (backend, train, validation) =>
        event({
          event: 'start',
          backend: backend.name,
          engine: backend.engine,
          precision: backend.precision,
          reason: backend.reason,
          threads: backend.threads,
          train: train.counts,
          validation: validation.counts,
          skipped: [...train.skipped, ...validation.skipped],
        }),
      end: (history, weights, seconds) =>
        event({
          event: 'end',
          best: bestEpoch(history),
          ...history.epochs[bestEpoch(history)],
          weights,
          seconds,
        }),
    };
  }
  return {
    note: line,
    start(backend, train, validation, model) {
      const how = { graph: 'each step one graph', eager: 'op by op' }[backend.engine];
      const threads = `${backend.threads} thread${backend.threads === 1 ? '' : 's'}`;
      const precision = backend.precision === 'bf16' ? ', convolutions in bfloat16' : '';
      line(`Backend: ${backend.description}, ${how}, ${threads}${precision}`);
      if (backend.reason) line(`  (${backend.reason})`);
      for (const [name, source] of Object.entries({ 'Train on': train, 'Validate on': validation })) {
        const counts = Object.entries(source.counts).map(([label, count]) => `${count} ${label}`);
        line(`${name} ${source.samples} pictures: ${counts.join(', ')}`);
        const { skipped } = source;
        if (skipped.length > 0) line(`  ${skipped.length} can't be read and are left out:`);
        for (const { path, reason } of skipped.slice(0, BROKEN_SHOWN)) line(`    ${path}: ${reason}`);
        if (skipped.length > BROKEN_SHOWN) line(`    and ${skipped.length - BROKEN_SHOWN} more`);
      }
      model.summary(line);
    },
    end(history, weights, seconds) {
      const best = bestEpoch(history);
      const numbers = Object.entries(history.epochs[best] ?? {}).map(
        ([name, value]) => `${name.replace('accuracy', 'acc')} ${value.toFixed(4)}`,
      );
      line(`Trained ${history.epochs.length} epochs in ${seconds.toFixed(0)} s.`);
      line(`Best epoch: ${best + 1} (${numbers.join(', ')}).`);
      line(`Weights: ${weights}`);
    },
  };
}
