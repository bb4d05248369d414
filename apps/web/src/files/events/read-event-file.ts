import type { SeriesPoint } from '@mycloud/shared/browser';
import { decodeEvent, unframeRecord } from '@mycloud/tfevents/browser';

export interface EventFile {
  series: { tag: string; total: number; points: SeriesPoint[] }[];
  /** Whole records read. */
  records: number;
  /** Bytes of them, from the start of the file. */
  readBytes: number;
  /** How reading ended: with the file, inside a record, where a length is damaged, or at the most that is read here. */
  end: 'whole' | 'cut' | 'damaged' | 'limit';
  /** Records passed over, because they are damaged or no events. */
  passedOver: number;
}

const partBytes = 4 * 1024 * 1024;
const mostBytes = 64 * 1024 * 1024;
/** About two pixels each. */
const mostPoints = 500;

/**
 * Reads the scalars of an event file of any length from its beginning on, a part at a time.
 * @param read bytes start..end (inclusive)
 */
export async function readEventFile(
  size: number,
  read: (start: number, end: number) => Promise<Uint8Array>,
): Promise<EventFile> {
  const file: EventFile = { series: [], records: 0, readBytes: 0, end: 'whole', passedOver: 0 };
  const series = new Map<string, SeriesPoint[]>();
  const most = Math.min(size, mostBytes);
  let held = new Uint8Array(0);
  for (let got = 0; got < most; ) {
    const part = await read(got, Math.min(got + partBytes, most) - 1);
    if (part.length === 0) break;
    got += part.length;
    held = joined(held, part);
    const used = takeRecords(held, file, series);
    if (used === undefined) {
      file.end = 'damaged';
      break;
    }
    held = held.slice(used);
    file.readBytes += used;
  }
  if (file.end === 'whole' && held.length > 0) file.end = size > mostBytes ? 'limit' : 'cut';
  file.series = [...series].map(([tag, points]) => ({
    tag,
    total: points.length,
    points: drawnTogether(points),
  }));
  return file;
}

/** @returns the bytes of the whole records, or undefined when no further one can be found */
function takeRecords(
  bytes: Uint8Array,
  file: EventFile,
  series: Map<string, SeriesPoint[]>,
): number | undefined {
  for (let at = 0; ; ) {
    const found = unframeRecord(bytes, at);
    if (found.kind === 'lost') return undefined;
    if (found.kind === 'partial') return at;
    at += found.bytes;
    if (found.kind === 'damaged' || !addEvent(found.data, series)) file.passedOver += 1;
    else file.records += 1;
  }
}

function addEvent(data: Uint8Array, series: Map<string, SeriesPoint[]>): boolean {
  try {
    const { step, wallTime, scalars } = decodeEvent(data);
    for (const { tag, value } of scalars) {
      const points = series.get(tag) ?? [];
      series.set(tag, points);
      points.push({ step, value: Number.isFinite(value) ? value : null, time: Math.round(wallTime * 1000) });
    }
    return true;
  } catch {
    // Counted as passed over: the reader says so.
    return false;
  }
}

/** Many points as few: the last of each bucket, with the least and greatest of it. */
function drawnTogether(points: SeriesPoint[]): SeriesPoint[] {
  if (points.length <= mostPoints) return points;
  return Array.from({ length: mostPoints }, (_, i) => {
    const from = Math.floor((i * points.length) / mostPoints);
    const to = Math.floor(((i + 1) * points.length) / mostPoints);
    const bucket = points.slice(from, to);
    const values = bucket.flatMap(({ value }) => (value === null ? [] : [value]));
    const span = values.length > 0 ? { min: Math.min(...values), max: Math.max(...values) } : {};
    return { ...bucket.at(-1)!, ...span };
  });
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(a.length + b.length);
  whole.set(a);
  whole.set(b, a.length);
  return whole;
}
