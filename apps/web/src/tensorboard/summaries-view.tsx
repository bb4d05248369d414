import type { Summaries } from '@mycloud/shared/browser';
import { useQuery } from '@tanstack/react-query';
import { isActive, summariesQuery } from '../api/queries.js';
import type { TabProps } from '../job/job-page.js';
import { Empty, ErrorNotice, Loading } from '../ui/notice.js';
import { HistogramCard } from './histogram-card.js';
import { ImageCard } from './image-card.js';
import { ScalarChart } from './scalar-chart.js';

/** The job's event files as this page draws them: scalars, images and histograms. */
export function SummariesView({ job, at }: TabProps) {
  const found = useQuery({ ...summariesQuery(at), refetchInterval: isActive(job) ? 10_000 : false });
  if (found.error && !found.data) return <ErrorNotice error={found.error} retry={() => found.refetch()} />;
  if (!found.data) return <Loading what="event files" />;
  const { snapshotId, scalars, images, histograms, problems } = found.data;
  if (!snapshotId || scalars.length + images.length + histograms.length + problems.length === 0) {
    return (
      <Empty
        title="No event files yet"
        commands={['mycloud run --tensorboard "train --logdir /output/Graph"']}
      >
        What a job writes for TensorBoard below /output is shown here, too.
      </Empty>
    );
  }
  const start = Date.parse(job.startedAt ?? job.createdAt);
  return (
    <>
      {problems.length > 0 && (
        <ul className="notice board-problems" aria-label="What could not be read">
          {problems.map((problem) => (
            <li key={problem}>{problem}</li>
          ))}
        </ul>
      )}
      {scalars.length > 0 && (
        <section aria-label="Scalars">
          <h2 className="section-title">Scalars</h2>
          <div className="charts">
            {byTag(scalars).map(([tag, runs]) => (
              <ScalarChart key={tag} tag={tag} runs={runs} start={start} />
            ))}
          </div>
        </section>
      )}
      {images.length > 0 && (
        <section aria-label="Images">
          <h2 className="section-title">Images</h2>
          <div className="summary-cards">
            {images.map((one) => (
              <ImageCard key={`${one.run}\n${one.tag}`} series={one} snapshotId={snapshotId} />
            ))}
          </div>
        </section>
      )}
      {histograms.length > 0 && (
        <section aria-label="Histograms">
          <h2 className="section-title">Histograms</h2>
          <div className="summary-cards">
            {histograms.map((one) => (
              <HistogramCard key={`${one.run}\n${one.tag}`} series={one} />
            ))}
          </div>
        </section>
      )}
    </>
  );
}

/** Runs of one tag belong into one chart. */
function byTag(scalars: Summaries['scalars']): [string, Summaries['scalars']][] {
  const tags = new Map<string, Summaries['scalars']>();
  for (const one of scalars) tags.set(one.tag, [...(tags.get(one.tag) ?? []), one]);
  return [...tags];
}
