/**
 * Plain loops over float32 views. On the wasm backend they run on its heap without a copy; the built-in kernels for
 * the same are ten times slower (MaxPoolGrad) or add in float32 (sums).
 */

/** A picture batch's sizes: [n, h, w, c]. */
interface PictureShape {
  n: number;
  h: number;
  w: number;
  c: number;
}

/** dx is [n,h,w,c]; y and dy are [n,⌊h/ph⌋,⌊w/pw⌋,c]. The first largest value of a window takes the gradient. */
export function maxPoolGradLoop(
  x: Float32Array,
  y: Float32Array,
  dy: Float32Array,
  dx: Float32Array,
  { n, h, w, c, ph, pw }: PictureShape & { ph: number; pw: number },
): void {
  dx.fill(0);
  const oh = Math.floor(h / ph);
  const ow = Math.floor(w / pw);
  let o = 0;
  for (let b = 0; b < n; b++) {
    for (let i = 0; i < oh; i++) {
      for (let j = 0; j < ow; j++) {
        const corner = ((b * h + i * ph) * w + j * pw) * c;
        for (let k = 0; k < c; k++, o++) {
          const top = y[o]!;
          search: for (let p = 0; p < ph; p++) {
            let at = corner + p * w * c + k;
            for (let q = 0; q < pw; q++, at += c) {
              if (x[at]! === top) {
                dx[at] = dy[o]!;
                break search;
              }
            }
          }
        }
      }
    }
  }
}

export function reluGradLoop(dy: Float32Array, y: Float32Array, dx: Float32Array): void {
  for (let i = 0; i < dx.length; i++) dx[i] = y[i]! > 0 ? dy[i]! : 0;
}

/** Sums the columns of dy [rows, c] in float64: there are 700,000 rows under the first convolution. */
export function biasGradLoop(dy: Float32Array, out: Float32Array): void {
  const c = out.length;
  const sums = new Float64Array(c);
  for (let i = 0; i < dy.length; ) for (let k = 0; k < c; k++, i++) sums[k] = sums[k]! + dy[i]!;
  out.set(sums);
}

/** Sets the cells of x [n,h,w,c] into zeros [n, size.h, size.w, c]: `strides` apart, the first at (top, left). */
export function spreadLoop(
  x: Float32Array,
  { n, h, w, c }: PictureShape,
  out: Float32Array,
  size: { h: number; w: number },
  { strides, top, left }: { strides: [number, number]; top: number; left: number },
): void {
  out.fill(0);
  for (let b = 0; b < n; b++) {
    for (let i = 0; i < h; i++) {
      const from = (b * h + i) * w * c;
      const to = ((b * size.h + top + i * strides[0]) * size.w + left) * c;
      if (strides[1] === 1) out.set(x.subarray(from, from + w * c), to);
      else
        for (let j = 0; j < w; j++)
          out.set(x.subarray(from + j * c, from + (j + 1) * c), to + j * strides[1] * c);
    }
  }
}

/** Means, then biased variances of the columns of x [rows, c] into out [2, c]; two passes, in float64. */
export function momentsLoop(x: Float32Array, out: Float32Array): void {
  const c = out.length / 2;
  const count = x.length / c;
  const mean = new Float64Array(c);
  for (let i = 0; i < x.length; ) for (let k = 0; k < c; k++, i++) mean[k] = mean[k]! + x[i]!;
  for (let k = 0; k < c; k++) mean[k] = mean[k]! / count;
  const squares = new Float64Array(c);
  for (let i = 0; i < x.length; ) {
    for (let k = 0; k < c; k++, i++) {
      const off = x[i]! - mean[k]!;
      squares[k] = squares[k]! + off * off;
    }
  }
  out.set(mean);
  for (let k = 0; k < c; k++) out[c + k] = squares[k]! / count;
}

export function scaleAndShiftLoop(
  x: Float32Array,
  scale: Float32Array,
  shift: Float32Array,
  out: Float32Array,
): void {
  const c = scale.length;
  for (let i = 0; i < x.length; ) for (let k = 0; k < c; k++, i++) out[i] = x[i]! * scale[k]! + shift[k]!;
}

/** Into out [2, c]: dβ = Σ dy and dγ = Σ dy · x̂, with x̂ = (x − mean) · inverse. */
export function batchNormSumsLoop(
  x: Float32Array,
  dy: Float32Array,
  means: Float32Array,
  inverses: Float32Array,
  out: Float32Array,
): void {
  const c = means.length;
  const sums = new Float64Array(c);
  const products = new Float64Array(c);
  for (let i = 0; i < x.length; ) {
    for (let k = 0; k < c; k++, i++) {
      sums[k] = sums[k]! + dy[i]!;
      products[k] = products[k]! + dy[i]! * (x[i]! - means[k]!);
    }
  }
  out.set(sums);
  for (let k = 0; k < c; k++) out[c + k] = products[k]! * inverses[k]!;
}

/** dx = γ · inverse · (dy − dβ / n − x̂ · dγ / n), where n is the number of rows and `totals` is [dβ, dγ]. */
export function batchNormGradLoop(
  x: Float32Array,
  dy: Float32Array,
  channel: { gammas: Float32Array; means: Float32Array; inverses: Float32Array; totals: Float32Array },
  dx: Float32Array,
): void {
  const { gammas, means, inverses, totals } = channel;
  const c = gammas.length;
  const n = x.length / c;
  const outer = Float64Array.from(gammas, (gamma, k) => gamma * inverses[k]!);
  const constant = Float64Array.from(outer, (_, k) => totals[k]! / n);
  const slope = Float64Array.from(outer, (_, k) => (inverses[k]! * totals[c + k]!) / n);
  for (let i = 0; i < x.length; ) {
    for (let k = 0; k < c; k++, i++) {
      dx[i] = outer[k]! * (dy[i]! - constant[k]! - (x[i]! - means[k]!) * slope[k]!);
    }
  }
}
