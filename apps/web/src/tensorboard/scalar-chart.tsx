import type { Summaries } from '@mycloud/shared/browser';
import { useMemo, useState } from 'react';
import type { Zoom } from '../charts/chart.js';
import { Plot } from '../charts/plot.js';
import { valueText } from '../ui/format.js';
import { useOnScreen } from '../ui/visible.js';

const settings = { axis: 'step', log: false, smoothing: 0 } as const;
const ignore = () => undefined;

/** One tag, a line for each run; drawn only while it is in sight. */
export function ScalarChart({
  tag,
  runs,
  start,
}: {
  tag: string;
  runs: Summaries['scalars'];
  start: number;
}) {
  const [figure, setFigure] = useState<HTMLElement | null>(null);
  const [zoom, setZoom] = useState<Zoom>();
  const onScreen = useOnScreen(figure);
  const lines = useMemo(() => runs.map((run) => run.points), [runs]);
  const names = runs.map(({ run }) => run || '/output');
  return (
    <figure className="chart" ref={setFigure}>
      <figcaption>
        <h3>{tag}</h3>
        <ul className="legend">
          {runs.map(({ points }, i) => (
            <li key={names[i]} data-line={i % 6}>
              <span className="legend-word">{names[i]}</span>
              <b className="number">{valueText(points.at(-1)?.value)}</b>
            </li>
          ))}
        </ul>
      </figcaption>
      {onScreen ? (
        <Plot
          lines={lines}
          names={names}
          looks={names.map((_, i) => i)}
          settings={settings}
          start={start}
          zoom={zoom}
          onZoom={setZoom}
          onHover={ignore}
          label={`${tag}: ${names.join(', ')}`}
        />
      ) : (
        <div className="plot" />
      )}
    </figure>
  );
}
