import { useMemo } from 'react';
import { StillChart } from '../../charts/still-chart.js';
import { bytesText, countText, valueText } from '../../ui/format.js';
import { ErrorNotice, Loading } from '../../ui/notice.js';
import { type FileToRead, useFileWork } from '../file-work.js';
import type { EventFile } from './read-event-file.js';

const start = () => new Worker(new URL('./events.worker.ts', import.meta.url), { type: 'module' });
/** Tags with a chart of their own here; all of a file's are TensorBoard's work. */
const mostCharts = 100;

/** The scalars of a TensorBoard event file. */
export function EventsPreview(file: FileToRead) {
  const found = useFileWork<EventFile>('events', start, file);
  if (found.error) return <ErrorNotice error={found.error} />;
  if (!found.data) return <Loading what="the events" />;
  const { series, records, passedOver } = found.data;
  const ending = endingText(found.data, file.size);
  return (
    <>
      {ending && <p className="notice">{ending}</p>}
      <p className="dim">
        {countText(records, 'record')}, {countText(series.length, 'series').replace(/ss$/, 's')} of scalars.
        {passedOver > 0 && ` ${countText(passedOver, 'damaged record')} passed over.`}
        {series.length > mostCharts && ` The first ${mostCharts} are drawn.`}
      </p>
      <div className="charts">
        {series.slice(0, mostCharts).map((one) => (
          <EventChart key={one.tag} series={one} />
        ))}
      </div>
    </>
  );
}

function endingText({ end, readBytes }: EventFile, size: number): string {
  const read = `${bytesText(readBytes)} of ${bytesText(size)}`;
  if (end === 'cut') return `The file is cut short, inside a record: what could be read, ${read}, is shown.`;
  if (end === 'damaged') return `The file is damaged after ${read}: what stands before is shown.`;
  if (end === 'limit') return `The first ${read} are shown. TensorBoard shows all.`;
  return '';
}

function EventChart({ series }: { series: EventFile['series'][number] }) {
  const { tag, total, points } = series;
  const last = points.at(-1);
  const drawn = [{ name: tag, total, drawn: points.length, lastStep: last?.step ?? null }];
  // The same ones each time: the canvas is given data that is new.
  const lines = useMemo(() => [points], [points]);
  return (
    <StillChart lines={lines} names={[tag]} label={`${tag} by step`} series={JSON.stringify(drawn)}>
      <h4>{tag}</h4>
      <b className="number">{valueText(last?.value)}</b>
    </StillChart>
  );
}
