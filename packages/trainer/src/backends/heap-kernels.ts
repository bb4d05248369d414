/**
 * Plain loops over float32 views. On the wasm backend they run on its heap without a copy; the built-in kernels for
 * the same are ten times slower (MaxPoolGrad) or add in float32 (sums).
 */
export interface PoolShape {
  n: number;
  h: number;
  w: number;
  c: number;
  ph: number;
  pw: number;
}

/** dx is [n,h,w,c]; y and dy are [n,⌊h/ph⌋,⌊w/pw⌋,c]. The first largest value of a window takes the gradient. */
export function maxPoolGradLoop(
  x: Float32Array,
  y: Float32Array,
  dy: Float32Array,
  dx: Float32Array,
  { n, h, w, c, ph, pw }: PoolShape,
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
