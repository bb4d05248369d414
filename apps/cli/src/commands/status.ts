import { isEnd, type Job, jobRoutes } from '@mycloud/shared';
import { openSession, type Session } from '../context.js';
import { durationOf, metricsText, statusText } from '../job-text.js';
import { print, printJson } from '../output.js';
import { table } from '../text.js';
import { watch } from '../watch.js';

interface Options {
  watch?: boolean;
  json?: boolean;
}

/** The jobs of this folder's project, of everything where the folder has none, or one job. */
export async function status(name: string | undefined, options: Options): Promise<void> {
  const session = await openSession();
  if (name !== undefined) return oneJob(session, name, options);
  const folder = await session.folder();
  const look = () => session.client.call(jobRoutes.list, { query: { ...folder, limit: 50 } });
  const text = ({ items }: { items: Job[] }) =>
    items.length === 0 ? 'No jobs yet. Begin with: mycloud run "COMMAND"' : jobTable(items);
  if (options.watch) return watch({ look, text, json: options.json });
  const page = await look();
  if (options.json) printJson(page);
  else print(text(page));
}

/** All about one job; watched, its row until it ends. */
async function oneJob(session: Session, name: string, options: Options): Promise<void> {
  if (!options.watch) return (await import('./info.js')).info(name, options);
  const params = await session.jobRef(name);
  await watch({
    look: () => session.client.call(jobRoutes.get, { params }),
    text: (job) => jobTable([job]),
    isOver: (job) => isEnd(job.status),
    json: options.json,
  });
}

const jobTable = (jobs: Job[]): string =>
  table(
    ['JOB', 'STATUS', 'TIME', 'MACHINE', 'METRICS', ''],
    jobs.map((job) => [
      job.name,
      statusText(job),
      durationOf(job),
      job.machine,
      metricsText(job),
      job.description || job.message || '',
    ]),
  );
