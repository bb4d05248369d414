import { black, type Colour, css, mix, type Pen, white } from './pen.js';

const grounds: readonly Colour[] = [
  [142, 196, 226],
  [246, 222, 170],
  [176, 206, 150],
  [226, 184, 186],
  [186, 176, 214],
  [110, 140, 150],
  [202, 190, 172],
  [88, 106, 84],
  [70, 72, 100],
  [234, 234, 226],
];

function stops(from: Colour, to: Colour): string {
  return `<stop offset="0" stop-color="${css(from)}"/><stop offset="1" stop-color="${css(to)}"/>`;
}

/** Things lying about: of any colour and place, they tell nothing. */
function clutter(pen: Pen, size: number): string {
  const colour = pen.near(pen.pick(grounds), 50);
  const at = () => pen.between(-0.1, 1.1) * size;
  const r = pen.between(0.03, 0.16) * size;
  const look = `fill="${css(colour)}" fill-opacity="${pen.between(0.35, 0.95).toFixed(2)}"`;
  const [x, y] = [at(), at()];
  const turn = `transform="rotate(${pen.between(0, 360).toFixed(0)} ${x.toFixed(1)} ${y.toFixed(1)})"`;
  const p = (v: number) => v.toFixed(1);
  switch (pen.pick(['circle', 'box', 'triangle', 'line', 'line'])) {
    case 'circle':
      return `<circle cx="${p(x)}" cy="${p(y)}" r="${p(r)}" ${look}/>`;
    case 'box':
      return `<rect x="${p(x)}" y="${p(y)}" width="${p(r * 2)}" height="${p(r * pen.between(0.6, 2.4))}" ${turn} ${look}/>`;
    case 'triangle':
      return `<path d="M${p(x)} ${p(y - r)} l${p(r)} ${p(r * 1.8)} h${p(-2 * r)} Z" ${turn} ${look}/>`;
    default:
      return `<path d="M${p(x)} ${p(y)} Q${p(at())} ${p(at())} ${p(at())} ${p(at())}" fill="none" stroke="${css(colour)}" stroke-width="${p(pen.between(1, 6))}" stroke-opacity="0.8"/>`;
  }
}

/**
 * A picture as SVG, size × size: background, clutter, the animal turned, mirrored, moved and scaled, and the
 * light that falls on all of it.
 */
export function drawScene(pen: Pen, animal: string, size: number): string {
  const top = pen.near(pen.pick(grounds), 30);
  const bottom = pen.chance(0.5)
    ? pen.near(pen.pick(grounds), 30)
    : mix(top, pen.chance(0.5) ? white : black, 0.35);
  const angle = pen.between(0, 360).toFixed(0);
  const gradient = pen.chance(0.3)
    ? `<radialGradient id="b">${stops(bottom, top)}</radialGradient>`
    : `<linearGradient id="b" gradientTransform="rotate(${angle} .5 .5)">${stops(top, bottom)}</linearGradient>`;
  const floor = pen.chance(0.5)
    ? `<rect y="${pen.between(0.55, 0.85) * size}" width="${size}" height="${size}" fill="${css(pen.near(pen.pick(grounds), 40))}"/>`
    : '';
  const things = Array.from({ length: Math.floor(pen.between(2, 10)) }, () => clutter(pen, size)).join('');

  // Close-ups show the face alone, long shots the whole animal; the face stays mostly inside.
  const scale = (size / 200) * pen.between(0.72, 1.2);
  const x = size * pen.between(0.4, 0.6);
  const y = size * pen.between(0.4, 0.54);
  const turn = pen.chance(0.8) ? pen.between(-16, 16) : pen.between(-32, 32);
  const squeeze = pen.between(0.88, 1.06) * (pen.chance(0.5) ? 1 : -1);
  const pose = `translate(${x.toFixed(1)},${y.toFixed(1)}) rotate(${turn.toFixed(1)}) scale(${(scale * squeeze).toFixed(3)},${scale.toFixed(3)})`;

  const shade = pen.between(0, 0.4).toFixed(2);
  const shine = pen.between(0, 0.25).toFixed(2);
  const light =
    `<linearGradient id="l" gradientTransform="rotate(${pen.between(0, 360).toFixed(0)} .5 .5)">` +
    `<stop offset="0" stop-color="white" stop-opacity="${shine}"/><stop offset="1" stop-color="black" stop-opacity="${shade}"/></linearGradient>`;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}"><defs>${gradient}${light}</defs>` +
    `<rect width="${size}" height="${size}" fill="url(#b)"/>${floor}${things}<g transform="${pose}">${animal}</g>` +
    `<rect width="${size}" height="${size}" fill="url(#l)"/></svg>`
  );
}
