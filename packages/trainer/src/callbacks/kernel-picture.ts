import sharp from 'sharp';

/** A kernel's cell is drawn this many pixels wide. */
const ZOOM = 8;

export interface Picture {
  png: Uint8Array;
  height: number;
  width: number;
  channels: number;
}

/**
 * A convolution's kernel [kh, kw, c, k] as a sheet of k tiles, black at its smallest value and white at its largest:
 * in colour where it looks at RGB, else the mean over its inputs in grey. Undefined for other weights.
 */
export async function kernelPicture(data: Float32Array, shape: number[]): Promise<Picture | undefined> {
  if (shape.length !== 4) return undefined;
  const [kh, kw, c, k] = shape as [number, number, number, number];
  const channels = c === 3 ? 3 : 1;
  const columns = Math.ceil(Math.sqrt(k));
  // One dark cell between tiles.
  const width = columns * (kw + 1) - 1;
  const height = Math.ceil(k / columns) * (kh + 1) - 1;
  const sheet = new Float32Array(width * height * channels).fill(Number.NaN);
  for (let tile = 0; tile < k; tile++) {
    const top = Math.floor(tile / columns) * (kh + 1);
    const left = (tile % columns) * (kw + 1);
    for (let i = 0; i < kh; i++) {
      for (let j = 0; j < kw; j++) {
        const cell = Array.from({ length: c }, (_, m) => data[((i * kw + j) * c + m) * k + tile]!);
        const values = channels === 3 ? cell : [cell.reduce((a, b) => a + b, 0) / c];
        sheet.set(values, ((top + i) * width + left + j) * channels);
      }
    }
  }
  const drawn = sheet.filter((value) => !Number.isNaN(value));
  const low = drawn.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const high = drawn.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const scale = high > low ? 255 / (high - low) : 0;
  const pixels = Uint8Array.from(sheet, (value) => (Number.isNaN(value) ? 0 : (value - low) * scale));
  const [w, h] = [width * ZOOM, height * ZOOM];
  const { data: png, info } = await sharp(pixels, { raw: { width, height, channels } })
    .resize(w, h, { kernel: 'nearest' })
    .toColourspace(channels === 1 ? 'b-w' : 'srgb')
    .png()
    .toBuffer({ resolveWithObject: true });
  return { png, height: h, width: w, channels: info.channels };
}
