const colours = 6;
const dashes = [[], [6, 4], [2, 3], [8, 3, 2, 3], [], [6, 4]];

/** How the n-th line is told from the others: by colour and by dash; no two of the first 36 look alike. */
export const lineLook = (n: number): { colour: string; dash: number[] } => ({
  colour: `--line-${n % colours}`,
  dash: dashes[(n + Math.floor(n / colours)) % dashes.length] ?? [],
});

/** A piece of the n-th line. */
export function LineSwatch({ n }: { n: number }) {
  const { colour, dash } = lineLook(n);
  return (
    <svg className="line-swatch" width="18" height="4" aria-hidden="true">
      <line
        x1="0"
        y1="2"
        x2="18"
        y2="2"
        stroke={`var(${colour})`}
        strokeWidth="2"
        strokeDasharray={dash.join(' ')}
      />
    </svg>
  );
}
