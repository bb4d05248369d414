import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useConnection } from '../api/live.js';
import { isActive, metricsQuery } from '../api/queries.js';
import type { TabProps } from '../job/job-page.js';
import { Empty, ErrorNotice, Loading } from '../ui/notice.js';
import { Chart, type Zoom } from './chart.js';
import { groupSeries } from './groups.js';
import { SettingsBar, useChartSettings } from './settings.js';

/** Every metric of the job. What is zoomed into on one chart is shown on all of the same axis. */
export function ChartsTab({ job, at }: TabProps) {
  const away = useConnection() === 'away';
  const found = useQuery({ ...metricsQuery(at), refetchInterval: away && isActive(job) ? 3000 : false });
  const { settings, set } = useChartSettings();
  const [zooms, setZooms] = useState<{ step?: Zoom; time?: Zoom }>({});
  const [filter, setFilter] = useState('');
  const names = found.data?.items.map((item) => item.name).join('\n') ?? '';
  const groups = useMemo(() => groupSeries(names ? names.split('\n') : []), [names]);
  if (found.error && !found.data) return <ErrorNotice error={found.error} retry={() => found.refetch()} />;
  if (!found.data) return <Loading what="metrics" />;
  if (groups.length === 0) {
    return (
      <Empty title="No metrics yet" commands={[`echo '{"metric": "loss", "value": 0.5, "step": 1}'`]}>
        A line like this on the job’s output becomes a point of a chart; so do scalars in TensorBoard’s event
        files under /output.
      </Empty>
    );
  }
  // A series none of whose points names a step has only time.
  const stepless = new Set(
    found.data.items.filter((item) => item.lastStep === null).map((item) => item.name),
  );
  const wanted = filter.toLowerCase();
  const shown = groups.filter(({ series }) => series.some(({ name }) => name.toLowerCase().includes(wanted)));
  const sections = [...new Set(shown.map((group) => group.section))];
  return (
    <>
      <div className="chart-bar">
        <SettingsBar
          settings={settings}
          set={set}
          zoomed={Boolean(zooms.step ?? zooms.time)}
          resetZoom={() => setZooms({})}
        />
        {groups.length > 8 && (
          <input
            type="search"
            placeholder="Filter charts"
            aria-label="Filter charts"
            value={filter}
            onChange={(e) => setFilter(e.target.value)}
          />
        )}
      </div>
      {sections.map((section) => (
        <section key={section} aria-label={section}>
          <h2 className="section-title">{section}</h2>
          <div className="charts">
            {shown
              .filter((group) => group.section === section)
              .map((group) => {
                const axis =
                  settings.axis === 'step' && group.series.some(({ name }) => stepless.has(name))
                    ? 'elapsed'
                    : settings.axis;
                const kind = axis === 'step' ? 'step' : 'time';
                return (
                  <Chart
                    key={group.section + group.title}
                    title={group.title}
                    series={group.series.map((one, look) => ({ ...one, at, look, shift: 0 }))}
                    settings={{ ...settings, axis }}
                    start={Date.parse(job.startedAt ?? job.createdAt)}
                    live={away && isActive(job)}
                    zoom={zooms[kind]}
                    onZoom={(zoom) => setZooms((old) => ({ ...old, [kind]: zoom }))}
                  />
                );
              })}
          </div>
        </section>
      ))}
    </>
  );
}
