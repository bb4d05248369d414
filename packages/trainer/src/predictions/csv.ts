import path from 'node:path';
import type { Prediction } from './predict-files.js';

/** RFC 4180: quoted where it must be. */
function cell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A row a picture: file (from `root`), predicted class, its probability, and the true class where it is known. */
export function predictionsCsv(predictions: Prediction[], root: string): string {
  const rows = predictions.map(({ file, predicted, probability, actual = '' }) =>
    [path.relative(root, file), predicted, probability.toFixed(4), actual].map(cell).join(','),
  );
  return ['file,predicted,probability,actual', ...rows, ''].join('\n');
}
