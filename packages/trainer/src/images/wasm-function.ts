/** WebAssembly's types of values, as they are written in a module. */
const types = { i32: 0x7f, f32: 0x7d, f64: 0x7c, v128: 0x7b } as const;
type ValueType = keyof typeof types;

/** An unsigned number in LEB128. */
function unsigned(n: number): number[] {
  return n < 0x80 ? [n] : [(n & 0x7f) | 0x80, ...unsigned(n >>> 7)];
}

const list = (items: number[][]) => [...unsigned(items.length), ...items.flat()];
const sized = (bytes: number[]) => [...unsigned(bytes.length), ...bytes];
const section = (id: number, items: number[][]) => [id, ...sized(list(items))];
const name = (text: string) => sized([...Buffer.from(text)]);

/** The instructions the kernels here are written with, under WebAssembly's names. */
export const op = {
  get: (local: number) => [0x20, ...unsigned(local)],
  set: (local: number) => [0x21, ...unsigned(local)],
  tee: (local: number) => [0x22, ...unsigned(local)],
  /** Does `body` again as long as it leaves an i32 that isn't 0. */
  repeat: (...body: number[][]) => [0x03, 0x40, ...body.flat(), 0x0d, 0x00, 0x0b],
  i32: {
    /** Below 64: there LEB128's sign bit stays 0. */
    const: (n: number) => [0x41, ...unsigned(n)],
    add: [0x6a],
    lessThan: [0x49],
  },
  f64: { const: (n: number) => [0x44, ...new Uint8Array(Float64Array.of(n).buffer)] },
  v128: {
    /** Four bytes into an otherwise empty vector, at an address that needn't be a multiple. */
    load32: [0xfd, 0x5c, 0x00, 0x00],
    store: [0xfd, 0x0b, 0x00, 0x00],
    /** Four bytes to four 32-bit numbers. */
    widen: [0xfd, 0x89, 0x01, 0xfd, 0xa9, 0x01],
    /** Bytes of two vectors, by their places in both. */
    shuffle: (places: number[]) => [0xfd, 0x0d, ...places],
  },
  i32x4: {
    splat: [0xfd, 0x11],
    lane: (lane: number) => [0xfd, 0x1b, lane],
    withLane: (lane: number) => [0xfd, 0x1c, lane],
    mul: [0xfd, 0xb5, 0x01],
  },
  f32x4: {
    splat: [0xfd, 0x13],
    fromI32x4: [0xfd, 0xfa, 0x01],
    /** Of two f64; the others become 0. */
    fromF64x2: [0xfd, 0x5e],
    add: [0xfd, 0xe4, 0x01],
    sub: [0xfd, 0xe5, 0x01],
    mul: [0xfd, 0xe6, 0x01],
  },
  f64x2: {
    splat: [0xfd, 0x14],
    withLane: (lane: number) => [0xfd, 0x22, lane],
    add: [0xfd, 0xf0, 0x01],
    sub: [0xfd, 0xf1, 0x01],
    min: [0xfd, 0xf6, 0x01],
    max: [0xfd, 0xf7, 0x01],
  },
};

/** A module with one function, exported as `run`, and its memory, exported as `memory`. */
export function moduleOf(
  parameters: ValueType[],
  locals: ValueType[],
  body: number[][],
): Uint8Array<ArrayBuffer> {
  const type = [0x60, ...list(parameters.map((one) => [types[one]])), ...list([])];
  const code = [...list(locals.map((one) => [1, types[one]])), ...body.flat(), 0x0b];
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [type]),
    ...section(3, [[0]]),
    ...section(5, [[0, 1]]),
    ...section(7, [
      [...name('run'), 0, 0],
      [...name('memory'), 2, 0],
    ]),
    ...section(10, [sized(code)]),
  ]);
}
