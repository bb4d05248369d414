import { decodeDouble, decodeString, fields, type MetField } from './proto.js';

/** A bucket of a histogram: from, to, and how many values lie between. */
export type Bucket = [left: number, right: number, count: number];

export interface ImageValue {
  tag: string;
  width: number;
  height: number;
  /** Where its encoded bytes, most often PNG, lie in the record's data. */
  start: number;
  length: number;
}

export interface HistogramValue {
  tag: string;
  buckets: Bucket[];
}

/** The numbers of a repeated double, packed or not. */
const doubles = (f: MetField): number[] =>
  Array.from({ length: Math.floor(f.bytes.length / 8) }, (_, i) =>
    decodeDouble(f.bytes.subarray(i * 8, i * 8 + 8)),
  );

const numberIn = (f: MetField): number => Number(BigInt.asIntN(64, f.value));

/** A tensorflow.HistogramProto: each limit is the right edge of its bucket; the first begins at the least value. */
function histogramOf(data: Uint8Array): Bucket[] {
  let min = 0;
  let max = 0;
  const limits: number[] = [];
  const counts: number[] = [];
  for (const f of fields(data)) {
    if (f.number === 1) min = decodeDouble(f.bytes);
    else if (f.number === 2) max = decodeDouble(f.bytes);
    else if (f.number === 6) limits.push(...doubles(f));
    else if (f.number === 7) counts.push(...doubles(f));
  }
  // TensorFlow's own limits go far beyond the values: the outermost buckets end where the values do.
  return counts.flatMap((count, i): Bucket[] => {
    const right = Math.min(limits[i] ?? max, max);
    const left = Math.max(i === 0 ? min : (limits[i - 1] ?? min), min);
    return count > 0 ? [[left, Math.max(left, right), count]] : [];
  });
}

interface Tensor {
  shape: number[];
  strings: Uint8Array[];
  doubles: number[];
}

/** As much of a TensorProto as pictures need. types.proto, tensor.proto */
function tensorOf(data: Uint8Array): Tensor {
  const tensor: Tensor = { shape: [], strings: [], doubles: [] };
  let type = 0;
  let content: MetField | undefined;
  for (const f of fields(data)) {
    if (f.number === 1) type = Number(f.value);
    else if (f.number === 2) {
      for (const dim of fields(f.bytes)) {
        if (dim.number !== 2) continue;
        tensor.shape.push(numberIn([...fields(dim.bytes)].find((d) => d.number === 1) ?? dim));
      }
    } else if (f.number === 4) content = f;
    else if (f.number === 6) tensor.doubles.push(...doubles(f));
    else if (f.number === 8) tensor.strings.push(f.bytes);
  }
  if (type === 2 && content) tensor.doubles = doubles(content);
  return tensor;
}

/** Which plugin a value is for; undefined where it doesn't say: only the first value of a tag must. */
function pluginOf(metadata: Uint8Array): string | undefined {
  for (const f of fields(metadata)) {
    if (f.number !== 1) continue;
    const name = [...fields(f.bytes)].find((p) => p.number === 1);
    return name && decodeString(name.bytes);
  }
  return undefined;
}

/**
 * The images and histograms of an Event, as TF 1 keeps them (summary.proto) and TF 2 (tensors of the plugins images: width,
 * height, encoded images; and histograms: rows of left, right, count).
 * @throws RangeError where it is malformed
 */
export function decodePictures(data: Uint8Array): { images: ImageValue[]; histograms: HistogramValue[] } {
  const found: { images: ImageValue[]; histograms: HistogramValue[] } = { images: [], histograms: [] };
  const place = (bytes: Uint8Array) => ({ start: bytes.byteOffset - data.byteOffset, length: bytes.length });
  for (const summary of fields(data)) {
    if (summary.number !== 5) continue;
    for (const value of fields(summary.bytes)) {
      if (value.number !== 1) continue;
      let tag = '';
      let plugin: string | undefined;
      let image: Uint8Array | undefined;
      let histogram: Uint8Array | undefined;
      let tensor: Uint8Array | undefined;
      for (const f of fields(value.bytes)) {
        if (f.number === 1) tag = decodeString(f.bytes);
        else if (f.number === 4) image = f.bytes;
        else if (f.number === 5) histogram = f.bytes;
        else if (f.number === 8) tensor = f.bytes;
        else if (f.number === 9) plugin = pluginOf(f.bytes);
      }
      if (histogram) found.histograms.push({ tag, buckets: histogramOf(histogram) });
      if (image) {
        const parts = [...fields(image)];
        const [height, width] = [1, 2].map((n) => parts.find((f) => f.number === n));
        const encoded = parts.find((f) => f.number === 4);
        if (height && width && encoded)
          found.images.push({
            tag,
            width: numberIn(width),
            height: numberIn(height),
            ...place(encoded.bytes),
          });
      }
      if (!tensor) continue;
      if (plugin === 'images') {
        const [width, height, first] = tensorOf(tensor).strings;
        if (width && height && first)
          found.images.push({
            tag,
            width: Number(decodeString(width)),
            height: Number(decodeString(height)),
            ...place(first),
          });
      } else if (plugin === 'histograms') {
        const { shape, doubles: rows } = tensorOf(tensor);
        if (shape[1] !== 3) continue;
        const buckets = Array.from({ length: Math.floor(rows.length / 3) }, (_, i): Bucket => {
          const [left = 0, right = 0, count = 0] = rows.slice(i * 3, i * 3 + 3);
          return [left, right, count];
        });
        found.histograms.push({ tag, buckets: buckets.filter(([, , count]) => count > 0) });
      }
    }
  }
  return found;
}
