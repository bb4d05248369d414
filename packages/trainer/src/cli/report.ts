import type { Backend } from '../backends/backend.js';
import type { DirectoryIterator } from '../images/index.js';
import type { Skipped } from '../images/scan.js';
import type { History } from '../loop.js';
import type { Sequential } from '../model.js';
import type { Prediction } from '../predictions/predict-files.js';

/** What `train` says besides the progress bar; with --json, as JSON lines. */
export interface Report {
  note(text: string): void;
  start(backend: Backend, train: DirectoryIterator, validation: DirectoryIterator, model: Sequential): void;
  /** Pictures to validate on that are among those to train on. */
  same(files: string[]): void;
  predicted(predictions: Prediction[], skipped: Skipped[], files: { csv: string; sheet: string }): void;
  end(history: History, weights: string, seconds: number): void;
}

const BROKEN_SHOWN = 5;

/** Of the pictures whose class is known, how many there are and how many are right. */
function hits(predictions: Prediction[]): { known: number; right: number } {
  const known = predictions.filter(({ actual }) => actual !== undefined);
  return { known: known.length, right: known.filter(({ predicted, actual }) => predicted === actual).length };
}

function bestEpoch(history: History): number {
  const score = (i: number) => history.epochs[i]!.val_accuracy ?? history.epochs[i]!.accuracy!;
  return history.epochs.reduce((best, _, i) => (score(i) > score(best) ? i : best), 0);
}

export function createReport(json: boolean, write: (text: string) => void): Report {
  const line = (text: string) => write(`${text}\n`);
  const event = (value: object) => line(JSON.stringify(value));
  const same = (note: (text: string) => void) => (files: string[]) => {
    if (files.length === 0) return;
    note(
      `Warning: ${files.length} of the pictures to validate on are among those to train on (the same bytes), so ` +
        `val_acc will look better than it is: ${files.slice(0, BROKEN_SHOWN).join(', ')}${files.length > BROKEN_SHOWN ? ', …' : ''}`,
    );
  };
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
          turned: train.turned + validation.turned,
        }),
      same: same((text) => event({ event: 'note', text })),
      predicted: (predictions, skipped, files) =>
        event({ event: 'end', predicted: predictions.length, ...hits(predictions), skipped, ...files }),
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
  const leftOut = (skipped: readonly Skipped[]) => {
    if (skipped.length > 0) line(`  ${skipped.length} can't be read and are left out:`);
    for (const { path, reason } of skipped.slice(0, BROKEN_SHOWN)) line(`    ${path}: ${reason}`);
    if (skipped.length > BROKEN_SHOWN) line(`    and ${skipped.length - BROKEN_SHOWN} more`);
  };
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
        leftOut(source.skipped);
      }
      const turned = train.turned + validation.turned;
      if (turned > 0)
        line(`${turned} pictures note a camera’s turn (EXIF): it is ignored, as Keras ignores it.`);
      model.summary(line);
    },
    same: same(line),
    predicted(predictions, skipped, { csv, sheet }) {
      const { known, right } = hits(predictions);
      const share =
        known > 0
          ? `; of ${known} whose class is known, ${right} are right (${((100 * right) / known).toFixed(1)} %)`
          : '';
      line(`Predicted ${predictions.length} pictures${share}.`);
      leftOut(skipped);
      line(`Written: ${csv}, ${sheet}`);
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
