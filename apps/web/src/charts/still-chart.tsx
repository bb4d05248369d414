import type { SeriesPoint } from '@mycloud/shared/browser';
import { type ComponentProps, type ReactNode, useState } from 'react';
import { useOnScreen } from '../ui/visible.js';
import { Plot } from './plot.js';

const settings = { axis: 'step', log: false, smoothing: 0 } as const;
const ignore = () => undefined;

interface Props extends Partial<Pick<ComponentProps<typeof Plot>, 'zoom' | 'onZoom'>> {
  /** Each with its name. */
  lines: SeriesPoint[][];
  names: string[];
  /** Zero of the elapsed axis, milliseconds. */
  start?: number;
  label: string;
  /** What a test can know of what is drawn. */
  series?: string;
  /** Above the canvas. */
  children: ReactNode;
}

/** A chart by step of points that are at hand; drawn only while it is in sight. */
export function StillChart({
  lines,
  names,
  start = 0,
  label,
  series,
  zoom,
  onZoom = ignore,
  children,
}: Props) {
  const [figure, setFigure] = useState<HTMLElement | null>(null);
  const onScreen = useOnScreen(figure);
  return (
    <figure className="chart" ref={setFigure} data-series={series}>
      <figcaption>{children}</figcaption>
      {onScreen ? (
        <Plot
          lines={lines}
          names={names}
          looks={names.map((_, i) => i)}
          settings={settings}
          start={start}
          zoom={zoom}
          onZoom={onZoom}
          onHover={ignore}
          label={label}
        />
      ) : (
        <div className="plot" />
      )}
    </figure>
  );
}
