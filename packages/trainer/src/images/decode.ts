import sharp from 'sharp';
import type { DecodingRoom } from './decoding-room.js';

/** Larger pictures are refused before they are decoded: 100 megapixels take 300 MB. */
const PIXEL_LIMIT = 100_000_000;

/** A file's path, or its bytes. */
type Picture = string | Buffer;

/** Pixels as they lie in the file: the EXIF turn and colour profile are left alone, as PIL leaves them. */
function open(file: Picture) {
  return sharp(file, { failOn: 'truncated', limitInputPixels: PIXEL_LIMIT, ignoreIcc: true, pages: 1 });
}

/**
 * Reads a picture's header only: its pixels, and whether it notes a camera's turn. Rejects with the reason why it
 * can't be a picture.
 */
export async function checkHeader(file: Picture): Promise<{ pixels: number; turned: boolean }> {
  const { width, height, orientation = 1 } = await open(file).metadata();
  const pixels = width * height;
  if (pixels > PIXEL_LIMIT) throw new Error(`${width} × ${height} pixels are too many`);
  return { pixels, turned: orientation > 1 };
}

/**
 * PIL's NEAREST: the pixel under each target pixel's centre. The step is added up, not multiplied, since
 * PIL's ImagingScaleAffine does so and the roundings differ.
 */
export function nearestIndex(from: number, to: number): Uint32Array {
  const step = from / to;
  const index = new Uint32Array(to);
  let at = step * 0.5;
  for (let i = 0; i < to; i++, at += step) index[i] = Math.min(from - 1, Math.floor(at));
  return index;
}

/**
 * Decodes a picture (the first frame of a moving one) to 8-bit RGB and resizes it into `out`
 * (height × width × 3). Alpha is dropped, not blended, as PIL's convert('RGB') does.
 */
export async function decodeInto(
  file: Picture,
  height: number,
  width: number,
  out: Uint8Array,
  room: DecodingRoom,
): Promise<void> {
  const { pixels } = await checkHeader(file);
  await room.within(pixels, () => decode(file, height, width, out));
}

async function decode(file: Picture, height: number, width: number, out: Uint8Array): Promise<void> {
  const { data, info } = await open(file)
    .removeAlpha()
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const rows = nearestIndex(info.height, height);
  const columns = nearestIndex(info.width, width);
  const { channels } = info;
  const second = channels >= 3 ? 1 : 0;
  const third = channels >= 3 ? 2 : 0;
  let to = 0;
  for (let row = 0; row < height; row++) {
    const start = rows[row]! * info.width;
    for (let column = 0; column < width; column++, to += 3) {
      const at = (start + columns[column]!) * channels;
      out[to] = data[at]!;
      out[to + 1] = data[at + second]!;
      out[to + 2] = data[at + third]!;
    }
  }
}
