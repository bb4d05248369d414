/** A place on an axis, 0 (below) to 1 (above). */
type Place = number;

export interface Axis {
  title: string;
  kind: 'number' | 'log' | 'word';
  /** Of each job, in order; undefined: it has no value there. */
  places: (Place | undefined)[];
  ticks: { at: Place; text: string }[];
  /** What stands at a place. */
  textAt: (place: Place) => string;
}

/** Values so far apart are spread by their size. */
const logFrom = 50;

const short = (value: number): string => {
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e5)
    ? value.toExponential(1)
    : String(Number(value.toPrecision(3)));
};

/** Lays values out on an axis: numbers by their size, words by the alphabet. */
export function axisOf(title: string, values: readonly (string | undefined)[]): Axis {
  const known = values.filter((value) => value !== undefined);
  const numbers = known.map(Number);
  return known.length > 0 && known.every((value) => value.trim() !== '') && numbers.every(Number.isFinite)
    ? numberAxis(
        title,
        values.map((value) => (value === undefined ? undefined : Number(value))),
      )
    : wordAxis(title, values);
}

export function numberAxis(title: string, values: readonly (number | undefined)[]): Axis {
  const known = values.filter((value) => value !== undefined);
  const low = Math.min(...known);
  const high = Math.max(...known);
  const log = low > 0 && high / low >= logFrom;
  const [to, from] = log ? [Math.log10, (x: number) => 10 ** x] : [(x: number) => x, (x: number) => x];
  const span = to(high) - to(low);
  const textAt = (place: Place) => short(from(to(low) + place * span));
  const steps = span === 0 ? [0.5] : [0, 0.25, 0.5, 0.75, 1];
  return {
    title,
    kind: log ? 'log' : 'number',
    places: values.map((value) =>
      value === undefined ? undefined : span === 0 ? 0.5 : (to(value) - to(low)) / span,
    ),
    ticks: known.length > 0 ? steps.map((at) => ({ at, text: span === 0 ? short(low) : textAt(at) })) : [],
    textAt,
  };
}

function wordAxis(title: string, values: readonly (string | undefined)[]): Axis {
  const words = [...new Set(values.filter((value) => value !== undefined))].sort();
  const at = (i: number): Place => (words.length < 2 ? 0.5 : i / (words.length - 1));
  return {
    title,
    kind: 'word',
    places: values.map((value) => (value === undefined ? undefined : at(words.indexOf(value)))),
    ticks: words.map((text, i) => ({ at: at(i), text })),
    textAt: (place) => words[Math.round(place * (words.length - 1))] ?? '',
  };
}

export type Range = readonly [low: Place, high: Place];

/** Whether a place is inside; a job without a value is in no range. */
export const inRange = (place: Place | undefined, range: Range | undefined): boolean =>
  range === undefined || (place !== undefined && place >= range[0] - 1e-9 && place <= range[1] + 1e-9);
