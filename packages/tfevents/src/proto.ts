/** As much of Protocol Buffers' wire format as event files need. https://protobuf.dev/programming-guides/encoding */

const utf8 = new TextEncoder();
const text = new TextDecoder();

function concat(parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function varint(value: number | bigint): Uint8Array {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

/** One field after the other; the caller joins them into a message. */
export const field = {
  int: (number: number, value: number | bigint) => concat([varint(number * 8), varint(value)]),
  bytes: (number: number, value: Uint8Array) => concat([varint(number * 8 + 2), varint(value.length), value]),
  string: (number: number, value: string) => field.bytes(number, utf8.encode(value)),
  message: (number: number, ...fields: Uint8Array[]) => field.bytes(number, concat(fields)),
  float: (number: number, value: number) => {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    return concat([varint(number * 8 + 5), bytes]);
  },
  double: (number: number, value: number) => {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setFloat64(0, value, true);
    return concat([varint(number * 8 + 1), bytes]);
  },
  doubles: (number: number, values: number[]) =>
    field.bytes(number, new Uint8Array(Float64Array.from(values).buffer)),
};

export const message = (...fields: Uint8Array[]): Uint8Array<ArrayBuffer> => concat(fields);

/** A field as it was met; `bytes` holds what wire types 1, 2 and 5 carry, `value` what 0 carries. */
export interface MetField {
  number: number;
  wire: number;
  value: bigint;
  bytes: Uint8Array;
}

const nothing = new Uint8Array(0);

/** The fields of a message in order. Throws RangeError where the message is cut short or malformed. */
export function* fields(data: Uint8Array): Generator<MetField> {
  let at = 0;
  const take = (length: number) => {
    if (length > data.length - at) throw new RangeError('a protobuf message is cut short');
    at += length;
    return data.subarray(at - length, at);
  };
  const readVarint = () => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = take(1)[0]!;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asUintN(64, value);
    }
    throw new RangeError('a protobuf number is too long');
  };
  while (at < data.length) {
    const tag = Number(readVarint());
    const number = Math.floor(tag / 8);
    const wire = tag % 8;
    if (wire === 0) yield { number, wire, value: readVarint(), bytes: nothing };
    else if (wire === 1) yield { number, wire, value: 0n, bytes: take(8) };
    else if (wire === 2) yield { number, wire, value: 0n, bytes: take(Number(readVarint())) };
    else if (wire === 5) yield { number, wire, value: 0n, bytes: take(4) };
    else throw new RangeError(`a protobuf field has the wire type ${wire}`);
  }
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export const decodeFloat = (bytes: Uint8Array): number => viewOf(bytes).getFloat32(0, true);
export const decodeDouble = (bytes: Uint8Array): number => viewOf(bytes).getFloat64(0, true);
export const decodeString = (bytes: Uint8Array): string => text.decode(bytes);
