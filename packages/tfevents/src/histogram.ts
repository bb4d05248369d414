import { field, message } from './proto.js';

const BUCKETS = 30;

/** A tensorflow.HistogramProto of the finite values: 30 buckets of one width from the least to the greatest. */
export function encodeHistogram(data: Float32Array): Uint8Array {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let sum = 0;
  let squares = 0;
  let n = 0;
  for (const v of data) {
    if (!Number.isFinite(v)) continue;
    min = Math.min(min, v);
    max = Math.max(max, v);
    sum += v;
    squares += v * v;
    n += 1;
  }
  if (n === 0) [min, max] = [0, 0];
  const width = (max - min) / BUCKETS;
  const counts = new Array<number>(width > 0 ? BUCKETS : 1).fill(0);
  for (const v of data) {
    if (!Number.isFinite(v)) continue;
    const bucket = width > 0 ? Math.min(BUCKETS - 1, Math.floor((v - min) / width)) : 0;
    counts[bucket] = counts[bucket]! + 1;
  }
  const limits = counts.map((_, i) => (i === counts.length - 1 ? max : min + width * (i + 1)));
  // A bucket holds what lies below its limit: one of no width before the first gives that its lower edge.
  if (width > 0) {
    counts.unshift(0);
    limits.unshift(min);
  }
  return message(
    field.double(1, min),
    field.double(2, max),
    field.double(3, n),
    field.double(4, sum),
    field.double(5, squares),
    field.doubles(6, limits),
    field.doubles(7, counts),
  );
}
