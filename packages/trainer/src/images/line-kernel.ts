import { moduleOf, op } from './wasm-function.js';

/** Node's; TypeScript knows it as the browser's alone. */
declare const WebAssembly: {
  validate(bytes: Uint8Array): boolean;
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object) => { exports: unknown };
};

const { get, set, tee, i32, f64, v128, i32x4, f32x4, f64x2 } = op;

// Parameters and locals, by their place.
const [PICTURE, TO, END, STRIDE, LAST, FURTHEST, Y, Y_STEP, X, X_STEP, RESCALE] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
];
const [P, PLACE, STEP, MOST, BYTES, AT, WHOLE, PART, DX, LEFT, UPPER, SCALE] = [
  11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22,
];

/** Code from instructions and lists of them. */
const code = (...parts: number[][]) => parts.flat();
/** The pair of two f64: a place, down and to the right. */
const pair = (y: number, x: number) => code(get(y), f64x2.splat, get(x), f64x2.withLane(1));
/**
 * Added to a number near 0 it rounds it and leaves the whole number in the lower bits: an f64 of that size has no bits
 * for less. A half less is the number below, or, of a whole number, perhaps the one before, with all of a pixel to go.
 */
const ROUNDING = 1.5 * 2 ** 52;
const both = (n: number) => code(f64.const(n), f64x2.splat);

/** The given one of a vector's four 32-bit numbers, four times. */
const spread = (local: number, lane: number) =>
  code(get(local), get(local), v128.shuffle(Array.from({ length: 16 }, (_, i) => lane * 4 + (i % 4))));

/** The pixel at the address that `address` leaves: red, green, blue and what follows, as f32. */
const pixel = (address: number[]) => code(address, v128.load32, v128.widen, f32x4.fromI32x4);
/** Between the pixel at `address` and the one to its right. */
const across = (address: number[]) =>
  code(
    ...[pixel(address), tee(LEFT), pixel(code(address, i32.const(3), i32.add))],
    ...[get(LEFT), f32x4.sub, get(DX), f32x4.mul, f32x4.add],
  );

const before = code(
  ...[pair(Y, X), set(PLACE), pair(Y_STEP, X_STEP), set(STEP), pair(LAST, FURTHEST), set(MOST)],
  ...[get(RESCALE), f32x4.splat, set(SCALE)],
  // An f64's lower bits are every other i32.
  ...[get(STRIDE), i32x4.splat, i32.const(3), i32x4.withLane(2), set(BYTES)],
);
const eachPixel = op.repeat(
  code(get(PLACE), get(MOST), f64x2.min, both(0), f64x2.max, tee(AT)),
  code(both(0.5), f64x2.sub, both(ROUNDING), f64x2.add, tee(WHOLE), get(BYTES), i32x4.mul, set(PART)),
  code(get(PICTURE), get(PART), i32x4.lane(0), i32.add, get(PART), i32x4.lane(2), i32.add, set(P)),
  code(get(AT), get(WHOLE), both(ROUNDING), f64x2.sub, f64x2.sub, f32x4.fromF64x2, set(PART)),
  code(spread(PART, 1), set(DX)),
  code(get(TO), across(get(P)), tee(UPPER), across(code(get(P), get(STRIDE), i32.add))),
  code(get(UPPER), f32x4.sub, spread(PART, 0), f32x4.mul, f32x4.add),
  code(get(SCALE), f32x4.mul, v128.store),
  code(get(PLACE), get(STEP), f64x2.add, set(PLACE)),
  code(get(TO), i32.const(12), i32.add, tee(TO), get(END), i32.lessThan),
);

/**
 * One line of a picture that is moved, by bilinear interpolation, the edges repeated outside: (y, x) is where the
 * line's first pixel comes from, (yStep, xStep) leads to the next. The three channels of a pixel are computed as one
 * vector, whose fourth number the next pixel overwrites.
 */
const bytes = moduleOf(
  ['i32', 'i32', 'i32', 'i32', 'f64', 'f64', 'f64', 'f64', 'f64', 'f64', 'f32'],
  ['i32', ...Array.from({ length: 11 }, () => 'v128' as const)],
  [before, eachPixel],
);

/** Addresses and `stride` are in bytes. The memory must reach a line and 16 bytes beyond the picture and the line. */
export type LineKernel = (
  picture: number,
  to: number,
  end: number,
  stride: number,
  last: number,
  furthest: number,
  y: number,
  yStep: number,
  x: number,
  xStep: number,
  rescale: number,
) => void;

/** The kernel with a memory of at least `size` bytes; undefined where the CPU or Node has no vectors for WebAssembly. */
export function startLineKernel(size: number): { run: LineKernel; memory: ArrayBuffer } | undefined {
  if (!WebAssembly.validate(bytes)) return undefined;
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes));
  const { run, memory } = exports as {
    run: LineKernel;
    memory: { grow(pages: number): void; buffer: ArrayBuffer };
  };
  memory.grow(Math.ceil(size / 65536));
  return { run, memory: memory.buffer };
}
