import { collar, drawCoat, pinks } from './coat.js';
import { black, type Colour, css, ellipse, mirrored, mix, type Pen, shape, white } from './pen.js';

const irises: readonly Colour[] = [
  [150, 190, 70],
  [226, 178, 54],
  [92, 168, 196],
  [196, 140, 44],
  [110, 176, 120],
];

/** A cat about 170 wide around (0, 0), its face: pointed ears, slit eyes, whiskers, stripes on some. */
export function drawCat(pen: Pen): string {
  const coat = drawCoat(pen);
  const { outline } = coat;
  const fur = `fill="${css(coat.fur)}" ${outline}`;
  const light = `fill="${css(coat.light)}"`;
  const pink = css(pen.pick(pinks));
  const head = { rx: pen.between(54, 64), ry: pen.between(44, 52) };
  const tip = pen.between(84, 102);
  const lean = pen.between(38, 58);
  const striped = pen.chance(0.5);
  const stripe = `fill="none" stroke="${css(coat.dark)}" stroke-width="5" stroke-linecap="round"`;

  const side = pen.chance(0.5) ? 1 : -1;
  const tail = shape(
    `M${side * 40} 150 C${side * 110} 150 ${side * 105} ${pen.between(70, 100)} ${side * pen.between(70, 98)} ${pen.between(28, 60)}`,
    `fill="none" stroke="${css(coat.dark)}" stroke-width="17" stroke-linecap="round"`,
  );
  const body =
    ellipse(0, 120, pen.between(44, 54), 74, fur) +
    ellipse(0, 112, 24, 44, light) +
    mirrored(ellipse(20, 178, 17, 12, `${light} ${outline}`));

  const ear = mirrored(
    shape(`M14 ${-head.ry + 6} L${lean} ${-tip} Q${head.rx + 6} -50 ${head.rx - 2} -12 Z`, fur) +
      shape(
        `M26 ${-head.ry + 8} L${lean - 1} ${-tip + 18} Q${head.rx - 6} -46 ${head.rx - 12} -20 Z`,
        `fill="${pink}"`,
      ),
  );
  const stripes = striped
    ? shape(`M0 ${-head.ry + 3} v18`, stripe) +
      mirrored(
        shape(`M13 ${-head.ry + 5} q2 8 1 14`, stripe) +
          shape(`M${head.rx - 3} 2 q-8 0 -14 3`, stripe) +
          shape(`M${head.rx - 6} 16 q-7 0 -12 1`, stripe),
      )
    : '';
  const open = pen.between(10, 14);
  const slit = pen.between(2.2, 4.4);
  const gaze = pen.between(-2.5, 2.5);
  const eyes = mirrored(
    shape(
      `M9 -4 Q22 ${-4 - open * 1.5} 38 -10 Q30 ${open} 9 -4 Z`,
      `fill="${css(pen.pick(irises))}" stroke="${css(black)}" stroke-width="2"`,
    ),
  );
  const pupils = [-23, 23]
    .map(
      (x) =>
        ellipse(x + gaze, -7, slit, open * 0.72, `fill="${css(black)}"`) +
        ellipse(x + gaze + 3, -10, 2, 2, 'fill="white"'),
    )
    .join('');
  const muzzle =
    mirrored(ellipse(11, 18, 14, 11, light)) +
    shape(
      'M-7 8 H7 L0 16 Z',
      `fill="${pink}" stroke="${css(mix(coat.fur, black, 0.6))}" stroke-width="1.5" stroke-linejoin="round"`,
    ) +
    mirrored(
      shape(
        'M0 16 Q3 26 13 24',
        `fill="none" stroke="${css(black)}" stroke-width="2" stroke-linecap="round"`,
      ),
    );
  // Light whiskers on dark fur and background alike would not show: some cats have dark ones.
  const hair = css(pen.chance(0.6) ? white : mix(coat.fur, black, 0.75));
  const droop = pen.between(-6, 8);
  const whiskers = mirrored(
    [-5, 3, 11]
      .map((dy) =>
        shape(
          `M18 ${16 + dy / 2} Q50 ${10 + dy} 84 ${10 + dy * 2 + droop}`,
          `fill="none" stroke="${hair}" stroke-width="2" stroke-linecap="round"`,
        ),
      )
      .join(''),
  );
  const face = ellipse(0, 0, head.rx, head.ry, fur) + stripes + eyes + pupils + muzzle + whiskers;
  return tail + body + collar(pen, head.ry + 4, 34) + ear + face;
}
