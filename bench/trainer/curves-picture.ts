/** A training's validation accuracy after each epoch. */
export interface Curve {
  name: string;
  values: number[];
}

const [WIDTH, HEIGHT] = [780, 400];
/** The plot's edges; to its right stand the names. */
const [LEFT, TOP, RIGHT, BOTTOM] = [56, 48, 560, 352];
const [LOWEST, HIGHEST] = [0.45, 0.95];
const LINE_HEIGHT = 18;

/** Curves as an SVG that is light or dark as its reader's page is. */
export function curvesPicture(curves: Curve[]): string {
  const longest = Math.max(...curves.map(({ values }) => values.length), 2);
  const x = (epoch: number) => LEFT + ((epoch - 1) / (longest - 1)) * (RIGHT - LEFT);
  const y = (value: number) => BOTTOM - ((value - LOWEST) / (HIGHEST - LOWEST)) * (BOTTOM - TOP);
  const round = (n: number) => n.toFixed(1);

  const levels = [0.5, 0.6, 0.7, 0.8, 0.9].map(
    (level) =>
      `<path class="grid" d="M${LEFT} ${round(y(level))}H${RIGHT}"/>` +
      `<text x="${LEFT - 8}" y="${round(y(level) + 4)}" text-anchor="end">${level.toFixed(1)}</text>`,
  );
  const every = longest > 20 ? 10 : Math.ceil(longest / 5);
  const epochs = Array.from({ length: Math.floor(longest / every) }, (_, i) => (i + 1) * every).map(
    (epoch) => `<text x="${round(x(epoch))}" y="${BOTTOM + 20}" text-anchor="middle">${epoch}</text>`,
  );
  const lines = curves.map(({ values }, i) => {
    const points = values.map((value, e) => `${round(x(e + 1))},${round(y(value))}`).join(' ');
    return `<polyline class="c${i}" points="${points}"/>`;
  });
  // Names stand where their curves end, or as near as leaves each a line of its own.
  let free = TOP;
  const names = curves
    .map(({ name, values }, i) => ({ name, i, best: Math.max(...values), at: y(values.at(-1)!) }))
    .sort((a, b) => a.at - b.at)
    .map(({ name, i, best, at }) => {
      const line = Math.max(at, free);
      free = line + 2 * LINE_HEIGHT;
      return (
        `<text class="t${i}" x="${RIGHT + 12}" y="${round(line + 4)}">${name}</text>` +
        `<text x="${RIGHT + 12}" y="${round(line + 4 + LINE_HEIGHT)}">best ${best.toFixed(3)}</text>`
      );
    });

  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif" font-size="13">
<title>Validation accuracy on 2,000 and 400 photographs of cats and dogs</title>
<style>
rect { fill: #fff } text { fill: #475569 } .grid { stroke: #e2e8f0 } polyline { fill: none; stroke-width: 2 }
.head { fill: #0f172a; font-size: 15px; font-weight: 600 }
.c0 { stroke: #b45309 } .t0 { fill: #b45309 } .c1 { stroke: #1d4ed8 } .t1 { fill: #1d4ed8 } .c2 { stroke: #15803d } .t2 { fill: #15803d }
@media (prefers-color-scheme: dark) {
  rect { fill: #0f172a } text { fill: #94a3b8 } .grid { stroke: #1e293b } .head { fill: #f1f5f9 }
  .c0 { stroke: #f59e0b } .t0 { fill: #f59e0b } .c1 { stroke: #60a5fa } .t1 { fill: #60a5fa } .c2 { stroke: #4ade80 } .t2 { fill: #4ade80 }
}
</style>
<rect width="${WIDTH}" height="${HEIGHT}"/>
<text class="head" x="${LEFT}" y="26">Validation accuracy by epoch</text>
${[...levels, ...epochs, ...lines, ...names].join('\n')}
<text x="${(LEFT + RIGHT) / 2}" y="${BOTTOM + 40}" text-anchor="middle">epoch</text>
</svg>
`;
}
