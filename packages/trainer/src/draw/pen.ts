import { keyedRandom } from '../images/random.js';

export type Colour = readonly [red: number, green: number, blue: number];

/** Chance for drawing: everything comes from the key, so the same key draws the same picture. */
export interface Pen {
  between(low: number, high: number): number;
  chance(probability: number): boolean;
  pick<T>(from: readonly T[]): T;
  /** The colour, a little lighter or darker in each channel. */
  near(colour: Colour, by?: number): Colour;
}

export function createPen(...key: number[]): Pen {
  const random = keyedRandom(...key);
  const between = (low: number, high: number) => low + random() * (high - low);
  return {
    between,
    chance: (probability) => random() < probability,
    pick: (from) => from[Math.floor(random() * from.length)]!,
    near: ([r, g, b], by = 18) => {
      const light = between(-by, by);
      return [r + light + between(-6, 6), g + light + between(-6, 6), b + light + between(-6, 6)];
    },
  };
}

/** A colour as SVG writes it. */
export function css([r, g, b]: Colour): string {
  const byte = (v: number) => Math.round(Math.min(255, Math.max(0, v)));
  return `rgb(${byte(r)},${byte(g)},${byte(b)})`;
}

/** `amount` 0 gives `from`, 1 gives `to`. */
export function mix(from: Colour, to: Colour, amount: number): Colour {
  const part = (i: 0 | 1 | 2) => from[i] + (to[i] - from[i]) * amount;
  return [part(0), part(1), part(2)];
}

export const white: Colour = [252, 250, 246];
export const black: Colour = [24, 22, 24];

export const ellipse = (x: number, y: number, rx: number, ry: number, more: string) =>
  `<ellipse cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" rx="${rx.toFixed(1)}" ry="${ry.toFixed(1)}" ${more}/>`;

export const shape = (d: string, more: string) => `<path d="${d}" ${more}/>`;

/** Both halves of something symmetric: `half` is drawn for the right side and mirrored. */
export const mirrored = (half: string) => `${half}<g transform="scale(-1,1)">${half}</g>`;
