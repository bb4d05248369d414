import type { FillMode } from './options.js';
import type { Affine } from './transform.js';

const OUTSIDE = -1;

/** A coordinate brought into [0, n−1] (reflect: [−0.5, n−0.5]) as scipy's ni_interpolation.c does. */
function fold(mode: FillMode, at: number, n: number): number {
  if (mode === 'constant') return at < 0 || at > n - 1 ? OUTSIDE : at;
  if (mode === 'nearest') return at < 0 ? 0 : Math.min(at, n - 1);
  if (n === 1) return 0;
  if (mode === 'wrap') {
    // scipy's 'wrap' has period n−1: the last pixel and the first are the same place.
    const period = n - 1;
    if (at < 0) return at + period * (Math.trunc(-at / period) + 1);
    return at > period ? at - period * Math.trunc(at / period) : at;
  }
  const period = 2 * n;
  let x = (at + 0.5) % period;
  if (x < 0) x += period;
  return (x < n ? x : period - x) - 0.5;
}

/**
 * scipy.ndimage.affine_transform(order=1) of one RGB picture (height × width × 3, bytes) into `out` at
 * `offset`, floats on the same scale. Without a matrix it copies.
 */
export function resample(
  picture: Uint8Array,
  height: number,
  width: number,
  affine: Affine | undefined,
  fill: { mode: FillMode; cval: number },
  out: Float32Array,
  offset: number,
): void {
  if (affine === undefined) {
    out.set(picture, offset);
    return;
  }
  const [a, b, c, d, e, f] = affine;
  let to = offset;
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++, to += 3) {
      const y = fold(fill.mode, a * row + b * column + c, height);
      const x = fold(fill.mode, d * row + e * column + f, width);
      if (fill.mode === 'constant' && (y === OUTSIDE || x === OUTSIDE)) {
        out[to] = out[to + 1] = out[to + 2] = fill.cval;
        continue;
      }
      const top = Math.floor(y);
      const left = Math.floor(x);
      const dy = y - top;
      const dx = x - left;
      const row0 = Math.max(top, 0) * width;
      const row1 = (top + 1 < height ? top + 1 : height - 1) * width;
      const column0 = Math.max(left, 0);
      const column1 = left + 1 < width ? left + 1 : width - 1;
      const p = (row0 + column0) * 3;
      const q = (row0 + column1) * 3;
      const r = (row1 + column0) * 3;
      const s = (row1 + column1) * 3;
      const wp = (1 - dy) * (1 - dx);
      const wq = (1 - dy) * dx;
      const wr = dy * (1 - dx);
      const ws = dy * dx;
      for (let channel = 0; channel < 3; channel++) {
        out[to + channel] =
          wp * picture[p + channel]! +
          wq * picture[q + channel]! +
          wr * picture[r + channel]! +
          ws * picture[s + channel]!;
      }
    }
  }
}

/** Mirrors one picture in place: left to right, top to bottom, or both. */
export function flip(
  data: Float32Array,
  offset: number,
  height: number,
  width: number,
  horizontal: boolean,
  vertical: boolean,
): void {
  const swap = (i: number, j: number) => {
    for (let channel = 0; channel < 3; channel++) {
      const held = data[i + channel]!;
      data[i + channel] = data[j + channel]!;
      data[j + channel] = held;
    }
  };
  const at = (row: number, column: number) => offset + (row * width + column) * 3;
  if (horizontal) {
    for (let row = 0; row < height; row++) {
      for (let l = 0, r = width - 1; l < r; l++, r--) swap(at(row, l), at(row, r));
    }
  }
  if (vertical) {
    for (let t = 0, b = height - 1; t < b; t++, b--) {
      for (let column = 0; column < width; column++) swap(at(t, column), at(b, column));
    }
  }
}
