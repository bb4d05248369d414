import sharp from 'sharp';
import type { Pen } from './pen.js';

/** Photographs an SVG as JPEG: out of focus, under- or overexposed and grainy, each a little. */
export async function photograph(pen: Pen, svg: string): Promise<Buffer> {
  const blur = pen.chance(0.4) ? pen.between(0.4, 1.3) : 0;
  const grain = pen.between(0, 16);
  const exposure = pen.between(0.8, 1.15);
  const quality = Math.round(pen.between(76, 92));
  const drawn = sharp(Buffer.from(svg)).removeAlpha();
  if (blur > 0) drawn.blur(blur);
  const { data, info } = await drawn.raw().toBuffer({ resolveWithObject: true });
  for (let i = 0; i < data.length; i += info.channels) {
    // The sum of two draws is enough of a bell; film grain is the same in all channels.
    const noise = (pen.between(-1, 1) + pen.between(-1, 1)) * grain * 0.7;
    for (let c = 0; c < info.channels; c++) {
      data[i + c] = Math.min(255, Math.max(0, data[i + c]! * exposure + noise));
    }
  }
  const { width, height, channels } = info;
  return sharp(data, { raw: { width, height, channels } }).jpeg({ quality }).toBuffer();
}
