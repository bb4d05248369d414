import type { SeriesPoint } from '@mycloud/shared/browser';
import { keepPreviousData, useQueries } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { bucketsQuery, type JobRef } from '../api/queries.js';
import { valueText } from '../ui/format.js';
import { useOnScreen } from '../ui/visible.js';
import type { ChartGroup } from './groups.js';
import { Plot } from './plot.js';
import type { ChartSettings } from './settings.js';

/** Part of an axis: steps, or milliseconds since 1970. */
export interface Zoom {
  from: number;
  to: number;
}

interface Props {
  at: JobRef;
  group: ChartGroup;
  settings: ChartSettings;
  /** When the job started, milliseconds since 1970: zero of the elapsed axis. */
  start: number;
  /** Asked again by itself, because no stream tells of new points. */
  live: boolean;
  zoom?: Zoom;
  onZoom: (zoom: Zoom | undefined) => void;
}

/** About two pixels each on a wide chart. */
const buckets = 400;

/** One chart; it asks and draws only while it is in sight. */
export function Chart({ at, group, settings, start, live, zoom, onZoom }: Props) {
  const [figure, setFigure] = useState<HTMLElement | null>(null);
  const onScreen = useOnScreen(figure);
  const axis = settings.axis === 'step' ? 'step' : 'time';
  const results = useQueries({
    queries: group.series.map(({ name }) => ({
      ...bucketsQuery(at, { name, axis, buckets, ...zoom }),
      enabled: onScreen,
      refetchInterval: live ? 3000 : (false as const),
      placeholderData: keepPreviousData,
    })),
  });
  const data = results.map((result) => result.data);
  const version = results.map((result) => result.dataUpdatedAt).join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: the version stands for the data
  const lines = useMemo(() => data.map((one) => one?.points ?? []), [version]);
  const [hovered, setHovered] = useState<number | null>(null);
  return (
    <figure
      className="chart"
      ref={setFigure}
      data-series={JSON.stringify(
        group.series.map(({ name }, i) => summary(name, lines[i] ?? [], data[i]?.total)),
      )}
    >
      <figcaption>
        <h3>{group.title}</h3>
        <ul className="legend">
          {group.series.map(({ name, role }, i) => (
            <li key={name} data-line={i % 6} title={name}>
              {group.series.length > 1 && <span className="legend-word">{role}</span>}
              <b className="number">{valueText(valueAt(lines[i] ?? [], axis, hovered))}</b>
            </li>
          ))}
        </ul>
      </figcaption>
      {onScreen ? (
        <Plot
          lines={lines}
          names={group.series.map((series) => series.role)}
          settings={settings}
          start={start}
          zoom={zoom}
          onZoom={onZoom}
          onHover={setHovered}
          label={`${group.title}: ${group.series.map((s) => s.name).join(', ')}`}
        />
      ) : (
        <div className="plot" />
      )}
    </figure>
  );
}

/** What a test, or a person's script, can know of what is drawn on the canvas. */
function summary(name: string, points: SeriesPoint[], total = 0) {
  const last = points.at(-1);
  return { name, total, drawn: points.length, lastStep: last?.step ?? null, last: last?.value ?? null };
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
