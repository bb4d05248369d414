import type { Summaries } from '@mycloud/shared/browser';
import { useMemo, useState } from 'react';
import type { Zoom } from '../charts/chart.js';
import { LineSwatch } from '../charts/line-look.js';
import { StillChart } from '../charts/still-chart.js';
import { valueText } from '../ui/format.js';

interface Props {
  tag: string;
  runs: Summaries['scalars'];
  start: number;
}

/** One tag, a line for each run. */
export function ScalarChart({ tag, runs, start }: Props) {
  const [zoom, setZoom] = useState<Zoom>();
  const lines = useMemo(() => runs.map((run) => run.points), [runs]);
  const names = runs.map(({ run }) => run || '/output');
  const label = `${tag}: ${names.join(', ')}`;
  return (
    <StillChart lines={lines} names={names} start={start} zoom={zoom} onZoom={setZoom} label={label}>
      <h3>{tag}</h3>
      <ul className="legend">
        {runs.map(({ points }, i) => (
          <li key={names[i]}>
            <LineSwatch n={i} />
            <span className="legend-word">{names[i]}</span>
            <b className="number">{valueText(points.at(-1)?.value)}</b>
          </li>
        ))}
      </ul>
    </StillChart>
  );
}
