import type { SeriesPoint } from '@mycloud/shared/browser';
import uPlot from 'uplot';
import { smooth } from './smooth.js';

/** Columns a line takes: raw, least, greatest, smoothed. */
export const columnsPerLine = 4;

/** Rows of x with the columns of each line, as uPlot wants them: undefined where a line has no point, null where it breaks. */
export function tableOf(
  lines: SeriesPoint[][],
  axis: 'step' | 'time',
  smoothing: number,
  log: boolean,
  zero: number,
): uPlot.AlignedData {
  // A logarithm of nothing is no place on the axis.
  const drawable = (value: number | null | undefined) =>
    value === undefined || value === null || (log && value <= 0) ? null : value;
  const tables = lines.map((points): uPlot.AlignedData => {
    const placed = points.filter((point) => point[axis] !== null);
    const raw = placed.map((point) => drawable(point.value));
    return [
      placed.map((point) => (point[axis] as number) - zero),
      raw,
      placed.map((point) => drawable(point.min === undefined ? point.value : point.min)),
      placed.map((point) => drawable(point.max === undefined ? point.value : point.max)),
      smoothing > 0 ? smooth(raw, smoothing) : raw,
    ];
  });
  const joined = tables.filter((table) => table[0].length > 0);
  if (joined.length === 0) return [[], ...Array.from({ length: lines.length * columnsPerLine }, () => [])];
  return uPlot.join(
    tables,
    tables.map((table) => table.map(() => 1)),
  );
}
