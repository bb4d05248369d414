import type { SeriesPoint, Summaries } from '@mycloud/shared';
import type { Bucket } from '@mycloud/tfevents';
import { Thinned } from './thinned.js';

type Of<K extends 'scalars' | 'images' | 'histograms'> = Summaries[K][number];
type Image = Of<'images'>['images'][number];
type Histogram = Of<'histograms'>['histograms'][number];
interface At {
  step: number;
  time: number;
}

const mostTags = 200;
const mostPoints = 1000;
const mostSteps = 40;
const mostBuckets = 30;

/** One tag of one run. */
interface Series<T> {
  run: string;
  tag: string;
  steps: Thinned<T>;
}

/** What is read of event files, in bounded room: where there are too many steps, some stand for several. */
export class SummaryTable {
  /** Values of tags beyond the most that are kept. */
  leftOut = 0;
  private readonly scalars = new Map<string, Series<SeriesPoint>>();
  private readonly images = new Map<string, Series<Image>>();
  private readonly histograms = new Map<string, Series<Histogram>>();

  scalar(run: string, tag: string, at: At, value: number): void {
    const make = () => new Thinned<SeriesPoint>(mostPoints, joinPoints);
    const point = { ...at, value: Number.isFinite(value) ? value : null };
    this.find(this.scalars, run, tag, make)?.steps.add(point);
  }

  image(run: string, tag: string, image: Image): void {
    this.find(this.images, run, tag, () => new Thinned<Image>(mostSteps, later))?.steps.add(image);
  }

  histogram(run: string, tag: string, at: At, buckets: Bucket[]): void {
    const make = () => new Thinned<Histogram>(mostSteps, later);
    this.find(this.histograms, run, tag, make)?.steps.add({ ...at, buckets: inFewer(buckets) });
  }

  answer(): Pick<Summaries, 'scalars' | 'images' | 'histograms'> {
    return {
      scalars: inOrder(this.scalars).map(({ steps, ...names }) => ({ ...names, points: steps })),
      images: inOrder(this.images).map(({ steps, ...names }) => ({ ...names, images: steps })),
      histograms: inOrder(this.histograms).map(({ steps, ...names }) => ({ ...names, histograms: steps })),
    };
  }

  private find<T>(
    all: Map<string, Series<T>>,
    run: string,
    tag: string,
    make: () => Thinned<T>,
  ): Series<T> | undefined {
    const key = `${run}\n${tag}`;
    const known = all.get(key);
    if (known) return known;
    if (all.size >= mostTags) {
      this.leftOut++;
      return undefined;
    }
    const made = { run: run.slice(0, 500), tag: tag.slice(0, 500), steps: make() };
    all.set(key, made);
    return made;
  }
}

/** By tag and run; of each the steps in order: a job tried again writes a second file, which may begin before the end of the first. */
const inOrder = <T extends { step: number | null }>(all: Map<string, Series<T>>) =>
  [...all.values()]
    .sort((a, b) => (`${a.tag}\n${a.run}` < `${b.tag}\n${b.run}` ? -1 : 1))
    .map(({ steps, ...names }) => ({
      ...names,
      steps: steps.slots.sort((a, b) => (a.step ?? 0) - (b.step ?? 0)),
    }));

const later = <T>(_: T, after: T): T => after;

/** One point that still says the least and the greatest: a spike stays. */
function joinPoints(a: SeriesPoint, b: SeriesPoint): SeriesPoint {
  const edges = (point: SeriesPoint) =>
    [
      point.min === undefined ? point.value : point.min,
      point.max === undefined ? point.value : point.max,
    ].filter((value) => value !== null);
  const all = [...edges(a), ...edges(b)];
  const [min, max] = all.length > 0 ? [Math.min(...all), Math.max(...all)] : [null, null];
  return { ...b, min, max };
}

/** The same values in buckets of one width, shared out as if they lay evenly in those they come from. */
function inFewer(buckets: Bucket[]): Bucket[] {
  const finite = buckets.filter((bucket) => bucket.every(Number.isFinite));
  if (finite.length <= mostBuckets) return finite;
  const min = Math.min(...finite.map(([left]) => left));
  const max = Math.max(...finite.map(([, right]) => right));
  const width = (max - min) / mostBuckets || 1;
  const fewer = Array.from(
    { length: mostBuckets },
    (_, i): Bucket => [min + i * width, min + (i + 1) * width, 0],
  );
  for (const [left, right, count] of finite) {
    const first = Math.min(mostBuckets - 1, Math.floor((left - min) / width));
    const last = Math.min(mostBuckets - 1, Math.floor((right - min) / width));
    for (let i = first; i <= last; i++) {
      const [from, to] = fewer[i]!;
      const part =
        right > left ? Math.max(0, Math.min(right, to) - Math.max(left, from)) / (right - left) : 1;
      fewer[i]![2] += count * part;
    }
  }
  return fewer;
}
