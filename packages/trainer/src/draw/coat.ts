import { black, type Colour, css, mix, type Pen, white } from './pen.js';

/** Cats and dogs share these, so that colour doesn't tell which is which. */
const furs: readonly Colour[] = [
  [222, 146, 74], // ginger
  [236, 208, 160], // cream
  [138, 96, 62], // brown
  [128, 128, 136], // grey
  [58, 54, 58], // black
  [240, 234, 224], // white
  [176, 156, 132], // fawn
  [96, 70, 52], // chocolate
];

export interface Coat {
  fur: Colour;
  /** Shade of ears, tail and stripes. */
  dark: Colour;
  /** Muzzle, breast and paws. */
  light: Colour;
  outline: string;
}

export function drawCoat(pen: Pen): Coat {
  const fur = pen.near(pen.pick(furs));
  const dark = mix(fur, black, pen.between(0.22, 0.5));
  const light = mix(fur, white, pen.between(0.35, 0.85));
  return {
    fur,
    dark,
    light,
    outline: `stroke="${css(mix(fur, black, 0.6))}" stroke-width="2.5" stroke-linejoin="round"`,
  };
}

export const pinks: readonly Colour[] = [
  [236, 150, 156],
  [214, 118, 124],
  [244, 172, 168],
];

/** A collar with its tag below the chin, for some of either kind. */
export function collar(pen: Pen, y: number, width: number): string {
  if (!pen.chance(0.35)) return '';
  const band = pen.pick<Colour>([
    [206, 50, 54],
    [44, 102, 186],
    [40, 148, 98],
    [240, 178, 44],
    [132, 70, 160],
  ]);
  return (
    `<path d="M${-width} ${y - 6} Q0 ${y + 16} ${width} ${y - 6}" fill="none" stroke="${css(band)}" stroke-width="9" stroke-linecap="round"/>` +
    `<circle cx="0" cy="${y + 12}" r="6.5" fill="rgb(238,200,84)" stroke="rgb(150,112,30)" stroke-width="1.5"/>`
  );
}
