import path from 'node:path';
import sharp, { type OverlayOptions } from 'sharp';
import type { Prediction } from './predict-files.js';

/** All in pixels. */
const TILE = 150;
const CAPTION = 34;
const GAP = 10;
const HEADING = 34;
const COLUMNS = 8;
const colours = { wrong: '#c0392b', right: '#1e8449', unknown: '#566573' };

type Outcome = keyof typeof colours;

function outcome({ predicted, actual }: Prediction): Outcome {
  if (actual === undefined) return 'unknown';
  return predicted === actual ? 'right' : 'wrong';
}

const inXml = (text: string) =>
  text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]!);
const short = (text: string, length: number) =>
  text.length > length ? `${text.slice(0, length - 1)}…` : text;

/** `count` of them, spread evenly over all, so that the sheet shows every class. */
function spread<T>(all: T[], count: number): T[] {
  if (all.length <= count) return all;
  return Array.from({ length: count }, (_, i) => all[Math.floor((i * all.length) / count)]!);
}

/**
 * A PNG of pictures with what was predicted for them: first the wrong ones, the surest of them in front, then the
 * right ones, then those whose class isn't known; at most `most` pictures, half of them wrong.
 */
export async function contactSheet(predictions: Prediction[], most = 64): Promise<Buffer> {
  const of = (which: Outcome) => predictions.filter((one) => outcome(one) === which);
  const wrong = of('wrong').sort((a, b) => b.probability - a.probability);
  const shownWrong = wrong.slice(0, Math.max(most / 2, most - of('right').length - of('unknown').length));
  const sections = [
    { which: 'wrong' as const, all: wrong, shown: shownWrong },
    { which: 'right' as const, all: of('right'), shown: spread(of('right'), most - shownWrong.length) },
    { which: 'unknown' as const, all: of('unknown'), shown: spread(of('unknown'), most - shownWrong.length) },
  ].filter(({ shown }) => shown.length > 0);

  const width = COLUMNS * (TILE + GAP) + GAP;
  const marks: string[] = [];
  const tiles: OverlayOptions[] = [];
  let top = 0;
  for (const { which, all, shown } of sections) {
    const title = { wrong: 'Wrong', right: 'Right', unknown: 'Of no known class' }[which];
    marks.push(
      `<text x="${GAP}" y="${top + 24}" font-size="18" font-weight="bold" fill="${colours[which]}">` +
        `${title}: ${all.length} of ${predictions.length}${shown.length < all.length ? `, ${shown.length} shown` : ''}</text>`,
    );
    top += HEADING;
    for (const [i, one] of shown.entries()) {
      const x = GAP + (i % COLUMNS) * (TILE + GAP);
      const y = top + Math.floor(i / COLUMNS) * (TILE + CAPTION + GAP);
      const input = await sharp(one.file, { pages: 1 }).resize(TILE, TILE, { fit: 'cover' }).png().toBuffer();
      tiles.push({ input, left: x, top: y });
      const said = `${one.predicted} ${(one.probability * 100).toFixed(0)} %`;
      marks.push(
        `<rect x="${x - 2}" y="${y - 2}" width="${TILE + 4}" height="${TILE + 4}" fill="none" stroke="${colours[which]}" stroke-width="4"/>`,
        `<text x="${x}" y="${y + TILE + 16}" font-size="13" fill="${colours[which]}">${inXml(short(said, 22))}</text>`,
        `<text x="${x}" y="${y + TILE + 30}" font-size="10" fill="#555">${inXml(short(path.basename(one.file), 26))}</text>`,
      );
    }
    top += Math.ceil(shown.length / COLUMNS) * (TILE + CAPTION + GAP);
  }
  const height = top + GAP;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif">${marks.join('')}</svg>`;
  return sharp({ create: { width, height, channels: 3, background: '#ffffff' } })
    .composite([...tiles, { input: Buffer.from(svg), left: 0, top: 0 }])
    .png()
    .toBuffer();
}
