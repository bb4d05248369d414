import type { SeriesPoint } from '@mycloud/shared/browser';
import { keepPreviousData, useQueries } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { bucketsQuery, type JobRef } from '../api/queries.js';
import { valueText } from '../ui/format.js';
import { useOnScreen } from '../ui/visible.js';
import { LineSwatch } from './line-look.js';
import { Plot } from './plot.js';
import type { ChartSettings } from './settings.js';

/** Part of an axis: steps, or milliseconds since 1970. */
export interface Zoom {
  from: number;
  to: number;
}

interface ChartLine {
  at: JobRef;
  /** The metric's. */
  name: string;
  /** What the line is called in this chart. */
  role: string;
  /** Which line it is, for its look. */
  look: number;
  /** Milliseconds its times are drawn earlier: jobs laid over one another all begin at 0. */
  shift: number;
}

interface Props {
  title: string;
  series: ChartLine[];
  settings: ChartSettings;
  /** Zero of the elapsed axis, milliseconds. */
  start: number;
  /** Asked again by itself, because no stream tells of new points. */
  live: boolean;
  zoom?: Zoom;
  onZoom: (zoom: Zoom | undefined) => void;
}

/** About two pixels each on a wide chart. */
const buckets = 400;

/** One chart; it asks and draws only while it is in sight. */
export function Chart({ title, series, settings, start, live, zoom, onZoom }: Props) {
  const [figure, setFigure] = useState<HTMLElement | null>(null);
  const onScreen = useOnScreen(figure);
  const axis = settings.axis === 'step' ? 'step' : 'time';
  const results = useQueries({
    queries: series.map(({ at, name, shift }) => ({
      ...bucketsQuery(at, { name, axis, buckets, ...shifted(zoom, shift) }),
      enabled: onScreen,
      refetchInterval: live ? 3000 : (false as const),
      placeholderData: keepPreviousData,
    })),
  });
  const data = results.map((result) => result.data);
  const version = results.map((result) => result.dataUpdatedAt).join();
  const shifts = series.map((one) => one.shift).join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: these stand for the data
  const lines = useMemo(
    () => data.map((one, i) => earlier(one?.points ?? [], series[i]?.shift ?? 0)),
    [version, shifts],
  );
  const [hovered, setHovered] = useState<number | null>(null);
  return (
    <figure
      className="chart"
      ref={setFigure}
      data-series={JSON.stringify(
        series.map(({ name, role }, i) => summary(name, role, lines[i] ?? [], data[i]?.total)),
      )}
    >
      <figcaption>
        <h3>{title}</h3>
        <ul className="legend">
          {series.map(({ name, role, look }, i) => (
            <li key={role} title={name}>
              <LineSwatch n={look} />
              {series.length > 1 && <span className="legend-word">{role}</span>}
              <b className="number">{valueText(valueAt(lines[i] ?? [], axis, hovered))}</b>
            </li>
          ))}
        </ul>
      </figcaption>
      {onScreen ? (
        <Plot
          lines={lines}
          names={series.map((one) => one.role)}
          looks={series.map((one) => one.look)}
          settings={settings}
          start={start}
          zoom={zoom}
          onZoom={onZoom}
          onHover={setHovered}
          label={`${title}: ${series.map((one) => one.role).join(', ')}`}
        />
      ) : (
        <div className="plot" />
      )}
    </figure>
  );
}

const shifted = (zoom: Zoom | undefined, by: number): Zoom | undefined =>
  zoom && { from: zoom.from + by, to: zoom.to + by };

const earlier = (points: SeriesPoint[], by: number): SeriesPoint[] =>
  by === 0 ? points : points.map((point) => ({ ...point, time: point.time - by }));

/** What a test, or a person's script, can know of what is drawn on the canvas. */
function summary(name: string, role: string, points: SeriesPoint[], total = 0) {
  const last = points.at(-1);
  return { name, role, total, drawn: points.length, lastStep: last?.step ?? null, last: last?.value ?? null };
}

/** The value at the cursor, or the last one. */
function valueAt(points: SeriesPoint[], axis: 'step' | 'time', at: number | null): number | null | undefined {
  if (at === null) return points.at(-1)?.value;
  let found = points[0];
  for (const point of points) {
    if ((point[axis] ?? 0) > at) break;
    found = point;
  }
  return found?.value;
}
