import { collar, drawCoat, pinks } from './coat.js';
import { black, css, ellipse, mirrored, mix, type Pen, shape, white } from './pen.js';

/** A dog about 170 wide around (0, 0), its face: hanging ears, long snout, round eyes, mostly the tongue out. */
export function drawDog(pen: Pen): string {
  const coat = drawCoat(pen);
  const { outline } = coat;
  const fur = `fill="${css(coat.fur)}" ${outline}`;
  const light = `fill="${css(coat.light)}"`;
  const head = { rx: pen.between(46, 54), ry: pen.between(52, 60) };
  const long = pen.between(44, 74);
  const wide = pen.between(72, 92);
  const snout = { rx: pen.between(25, 32), ry: pen.between(26, 34), y: pen.between(28, 34) };

  const side = pen.chance(0.5) ? 1 : -1;
  const tail = shape(
    `M${side * 48} 140 Q${side * 92} 136 ${side * pen.between(88, 108)} ${pen.between(76, 118)}`,
    `fill="none" stroke="${css(coat.fur)}" stroke-width="15" stroke-linecap="round"`,
  );
  const body =
    ellipse(0, 128, pen.between(54, 66), 76, fur) +
    ellipse(0, 122, 30, 48, light) +
    mirrored(ellipse(27, 184, 21, 14, `${light} ${outline}`));

  const ear = mirrored(
    shape(
      `M18 ${-head.ry + 6} C${wide - 20} ${-head.ry - 8} ${wide + 6} -10 ${wide - 6} ${long} C${wide - 14} ${long + 16} ${head.rx - 4} ${long - 4} ${head.rx - 8} -14 Z`,
      `fill="${css(coat.dark)}" ${outline}`,
    ),
  );
  const patch = pen.chance(0.4) ? ellipse(side * 20, -14, 19, 21, `fill="${css(coat.dark)}"`) : '';
  const blaze = pen.chance(0.45) ? ellipse(0, -22, 9, 34, light) : '';
  const eye = pen.between(8.5, 11.5);
  const gaze = pen.between(-2, 2);
  const brown = css(mix([86, 52, 28], black, pen.between(0, 0.5)));
  const eyes = [-20, 20]
    .map(
      (x) =>
        ellipse(x, -12, eye + 2, eye + 2, `fill="${css(white)}" stroke="${css(black)}" stroke-width="1.5"`) +
        ellipse(x + gaze, -11, eye - 1, eye - 1, `fill="${brown}"`) +
        ellipse(x + gaze, -11, eye * 0.5, eye * 0.5, `fill="${css(black)}"`) +
        ellipse(x + gaze + 3, -14, 2.6, 2.6, 'fill="white"'),
    )
    .join('');
  const chin = snout.y + snout.ry;
  const tongue = pen.chance(0.8)
    ? shape(
        `M-12 ${chin - 12} L-12 ${chin + 12} Q-11 ${chin + pen.between(24, 36)} 0 ${chin + 28} Q12 ${chin + 30} 12 ${chin + 10} L12 ${chin - 12} Z`,
        `fill="${css(pen.pick(pinks))}" stroke="rgb(150,60,74)" stroke-width="2"`,
      ) + shape(`M0 ${chin - 6} v20`, 'stroke="rgb(176,84,96)" stroke-width="2" fill="none"')
    : '';
  const nose = pen.between(13, 17);
  const muzzle =
    ellipse(0, snout.y, snout.rx, snout.ry, `${light} ${outline}`) +
    shape(`M0 ${snout.y - 8} V${snout.y + 8}`, `fill="none" stroke="${css(black)}" stroke-width="2.5"`) +
    mirrored(
      shape(
        `M0 ${snout.y + 8} Q12 ${snout.y + 20} ${snout.rx - 6} ${snout.y + 6}`,
        `fill="none" stroke="${css(black)}" stroke-width="2.5" stroke-linecap="round"`,
      ),
    ) +
    ellipse(0, snout.y - 14, nose, nose * 0.72, `fill="${css(black)}"`) +
    ellipse(-4, snout.y - 18, 4, 2.2, 'fill="rgb(150,150,156)"');
  const face = ellipse(0, -2, head.rx, head.ry, fur) + patch + blaze + eyes + tongue + muzzle + ear;
  return tail + body + collar(pen, head.ry + 10, 38) + face;
}
