import type { AttemptProof, Client } from '@mycloud/shared';
import type { AttemptFolder } from './attempt-folder.js';
import { LogBook } from './logs/log-book.js';
import { LogSender } from './logs/log-sender.js';
import { EventMetrics } from './metrics/event-metrics.js';
import { KerasLines } from './metrics/keras-lines.js';
import { parseMetricLine } from './metrics/metric-line.js';
import { MetricSender } from './metrics/metric-sender.js';
import { type OutputSaver, openOutput } from './output.js';

/** What goes from an attempt to the api while it lives. */
export interface Channels {
  book: LogBook;
  lines: LogSender;
  metrics: MetricSender;
  /** Scalars in event files under /output. */
  events: EventMetrics;
  output: OutputSaver;
  close(): void;
}

/** @param onFailure told when the api refuses a write for good, or a spool can't be written */
export function openChannels(
  client: Client,
  proof: AttemptProof,
  folder: AttemptFolder,
  onFailure: (error: unknown) => void,
): Channels {
  const metrics = new MetricSender(client, proof, folder.file('metrics'), onFailure);
  const keras = new KerasLines(folder.file('keras.json'));
  const book = new LogBook(folder.file('lines'), (line, time) => {
    const point = parseMetricLine(line, time);
    if (!point) metrics.add(keras.read(line, time));
    else if (keras.isNew(point)) metrics.add([point]);
  });
  const lines = new LogSender(client, proof, book, onFailure);
  const events = new EventMetrics(
    folder.outputDir,
    folder.file('events.json'),
    (points) => metrics.add(points),
    onFailure,
  );
  return {
    book,
    lines,
    metrics,
    events,
    output: openOutput(client, proof, folder),
    close() {
      lines.stop();
      metrics.close();
      events.stop();
      book.close();
    },
  };
}
