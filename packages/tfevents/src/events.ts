import { decodeDouble, decodeFloat, decodeString, fields, type MetField } from './proto.js';

export interface ScalarValue {
  tag: string;
  value: number;
}

/** One record of an event file, as much of it as a chart needs. */
export interface EventRecord {
  /** Seconds since 1970. */
  wallTime: number;
  step: number;
  /** brain.Event:2 in the first record of a file. */
  fileVersion?: string;
  scalars: ScalarValue[];
}

function asFloat(f: MetField): number {
  return f.wire === 5 && f.bytes.length === 4 ? decodeFloat(f.bytes) : Number.NaN;
}

/** DataType → how one element of tensor_content is read. types.proto */
const contents: Record<number, (view: DataView) => number> = {
  1: (view) => view.getFloat32(0, true),
  2: (view) => view.getFloat64(0, true),
  3: (view) => view.getInt32(0, true),
  9: (view) => Number(view.getBigInt64(0, true)),
};

/**
 * The number in a TensorProto that holds one, undefined for any other. The element lies in tensor_content or
 * in the list of its type (float_val 5, double_val 6, int_val 7, int64_val 10), packed or not.
 */
function tensorScalar(data: Uint8Array): number | undefined {
  let type = 0;
  let elements = 1;
  let value: number | undefined;
  let content: Uint8Array | undefined;
  for (const f of fields(data)) {
    if (f.number === 1) type = Number(f.value);
    else if (f.number === 2) {
      for (const dim of fields(f.bytes)) {
        if (dim.number !== 2) continue;
        const size = [...fields(dim.bytes)].find((d) => d.number === 1);
        elements *= Number(size?.value ?? 0n);
      }
    } else if (f.number === 4) content = f.bytes;
    else if (f.number === 5 && f.bytes.length >= 4) value = decodeFloat(f.bytes);
    else if (f.number === 6 && f.bytes.length >= 8) value = decodeDouble(f.bytes);
    else if ((f.number === 7 || f.number === 10) && f.wire === 0) value = Number(BigInt.asIntN(64, f.value));
    else if (f.number === 7 || f.number === 10) {
      // A packed list: a varint is a field without its tag, so one is put before it.
      const [first] = fields(Uint8Array.of(8, ...f.bytes.subarray(0, f.bytes.findIndex((b) => b < 128) + 1)));
      value = first && Number(BigInt.asIntN(64, first.value));
    }
  }
  const read = contents[type];
  if (read === undefined || elements !== 1) return undefined;
  if (content !== undefined && content.length > 0) {
    const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
    return read(view);
  }
  return value ?? 0; // protobuf leaves out a list that holds only the default
}

/** Plugins that keep numbers which are no curve: a TF2 text or histogram of one element, say. */
function isScalarPlugin(metadata: Uint8Array): boolean {
  for (const f of fields(metadata)) {
    if (f.number !== 1) continue;
    const plugin = [...fields(f.bytes)].find((p) => p.number === 1);
    return plugin === undefined || decodeString(plugin.bytes) === 'scalars';
  }
  return true;
}

function scalarOf(data: Uint8Array): ScalarValue | undefined {
  let tag = '';
  let value: number | undefined;
  let isCurve = true;
  for (const f of fields(data)) {
    if (f.number === 1) tag = decodeString(f.bytes);
    else if (f.number === 2) value = asFloat(f);
    else if (f.number === 8) value = tensorScalar(f.bytes);
    else if (f.number === 9) isCurve = isScalarPlugin(f.bytes);
  }
  return value === undefined || !isCurve ? undefined : { tag, value };
}

/** Decodes an Event. Throws RangeError where it is malformed. */
export function decodeEvent(data: Uint8Array): EventRecord {
  const event: EventRecord = { wallTime: 0, step: 0, scalars: [] };
  for (const f of fields(data)) {
    if (f.number === 1 && f.bytes.length === 8) event.wallTime = decodeDouble(f.bytes);
    else if (f.number === 2) event.step = Number(BigInt.asIntN(64, f.value));
    else if (f.number === 3) event.fileVersion = decodeString(f.bytes);
    else if (f.number === 5) {
      for (const value of fields(f.bytes)) {
        const scalar = value.number === 1 ? scalarOf(value.bytes) : undefined;
        if (scalar) event.scalars.push(scalar);
      }
    }
  }
  return event;
}
