import { useQueries } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useConnection } from '../api/live.js';
import { isActive, metricsQuery } from '../api/queries.js';
import { Chart, type Zoom } from '../charts/chart.js';
import { groupSeries } from '../charts/groups.js';
import { type Axis, SettingsBar, useChartSettings } from '../charts/settings.js';
import type { Compared } from './use-compared.js';

/** A chart a metric, a line a job. By elapsed time all jobs begin at 0. */
export function OverlaidCharts({ compared }: { compared: Compared[] }) {
  const away = useConnection() === 'away';
  const active = compared.some(({ job }) => isActive(job));
  const found = useQueries({
    queries: compared.map(({ at, job }) => ({
      ...metricsQuery(at),
      refetchInterval: away && isActive(job) ? 3000 : (false as const),
    })),
  });
  const { settings, set } = useChartSettings();
  const [zooms, setZooms] = useState<Partial<Record<Axis, Zoom>>>({});
  const series = found.map(({ data }) => new Map(data?.items.map((item) => [item.name, item])));
  const names = [...new Set(series.flatMap((one) => [...one.keys()]))].join('\n');
  const charts = useMemo(
    () =>
      groupSeries(names ? names.split('\n') : []).flatMap(({ section, title, series: of }) =>
        of.map(({ name }) => ({ name, section, title: of.length > 1 ? nameIn(section, name) : title })),
      ),
    [names],
  );
  const sections = [...new Set(charts.map((chart) => chart.section))];
  return (
    <section aria-labelledby="overlaid">
      <h2 id="overlaid" className="section-title">
        Charts
      </h2>
      <div className="chart-bar">
        <SettingsBar
          settings={settings}
          set={set}
          zoomed={Object.values(zooms).some(Boolean)}
          resetZoom={() => setZooms({})}
        />
      </div>
      {charts.length === 0 && <p className="dim">None of these jobs has printed a metric.</p>}
      {sections.map((section) => (
        <section key={section} aria-label={section}>
          <h3 className="section-title">{section}</h3>
          <div className="charts">
            {charts
              .filter((chart) => chart.section === section)
              .map(({ name, title }) => {
                const drawn = compared.filter((_, i) => series[i]?.has(name));
                // A series none of whose points names a step has only time.
                const stepless = compared.some((_, i) => series[i]?.get(name)?.lastStep === null);
                const axis = settings.axis === 'step' && stepless ? 'elapsed' : settings.axis;
                return (
                  <Chart
                    key={name}
                    title={title}
                    series={drawn.map(({ at, job, word, look }) => ({
                      at,
                      name,
                      role: word,
                      look,
                      shift: axis === 'elapsed' ? Date.parse(job.startedAt ?? job.createdAt) : 0,
                    }))}
                    settings={{ ...settings, axis }}
                    start={0}
                    live={away && active}
                    zoom={zooms[axis]}
                    onZoom={(zoom) => setZooms((old) => ({ ...old, [axis]: zoom }))}
                  />
                );
              })}
          </div>
        </section>
      ))}
    </section>
  );
}

/** The metric's own name, without the folder that the section says. */
const nameIn = (section: string, name: string): string =>
  name.startsWith(`${section}/`) ? name.slice(section.length + 1) : name;
