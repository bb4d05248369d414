import { type Job, jobRoutes, metricRoutes, snapshotRoutes } from '@mycloud/shared';
import { type CompareRow, compareRows, differs, type Extremes } from '../compare-rows.js';
import { openSession, type Session } from '../context.js';
import { hint, print, printJson } from '../output.js';
import { paint, table } from '../text.js';

/** Shows side by side what differs between jobs, or all there is to tell them apart by. */
export async function compare(
  names: string[],
  { all, json }: { all?: boolean; json?: boolean },
): Promise<void> {
  const session = await openSession();
  const jobs = await Promise.all(
    names.map(async (name) => session.client.call(jobRoutes.get, { params: await session.jobRef(name) })),
  );
  const [extremes, code] = await Promise.all([
    Promise.all(jobs.map((job) => extremesOf(session, job))),
    Promise.all(jobs.map((job) => codeHash(session, job))),
  ]);
  const rows = compareRows(jobs, extremes, code).filter((row) => all || differs(row));
  if (json) return printJson({ jobs: jobs.map((job) => job.name), rows });
  if (rows.length === 0) return print(`${jobs.map((job) => job.name).join(', ')}: nothing differs.`);
  const width = cellWidth(jobs.length);
  print(
    table(
      ['', ...shortNames(jobs)],
      rows.map((row) => cellsOf(row, width)),
    ),
  );
  if (rows.some(({ title }) => title === 'code'))
    hint(`How the code differs: mycloud diff ${jobs[0]!.name} ${jobs[1]!.name}`);
}

/** Characters a cell may have, so that a row fits on the terminal. */
const cellWidth = (jobs: number): number => {
  const { isTTY, columns = 80 } = process.stdout;
  return isTTY ? Math.max(16, Math.floor((columns - 20) / jobs) - 2) : 80;
};

function cellsOf({ title, cells, best }: CompareRow, width: number): string[] {
  const c = paint(process.stdout);
  const text = (value: string | number | null, i: number) => {
    if (value === null) return '-';
    const whole =
      typeof value === 'number' ? String(Number(value.toPrecision(5))) : value.replaceAll('\n', ' ');
    const shown = whole.length > width ? `${whole.slice(0, width - 1)}…` : whole;
    return best?.includes(i) ? c.green(`${shown} *`) : shown;
  };
  return [c.dim(title), ...cells.map(text)];
}

/** The number says enough among jobs of one project. */
function shortNames(jobs: Job[]): string[] {
  const projects = new Set(jobs.map(({ owner, project }) => `${owner}/${project}`));
  return jobs.map((job) => (projects.size === 1 ? `${job.project}/${job.number}` : job.name));
}

async function extremesOf(session: Session, { owner, project, number }: Job): Promise<Extremes> {
  const params = { owner, project, number };
  const { items } = await session.client.call(metricRoutes.list, { params, query: { extremes: 'true' } });
  return new Map(items.map((item) => [item.name, item]));
}

/** The same tree has the same hash, whoever uploaded it when. */
async function codeHash(session: Session, { codeSnapshotId: id }: Job): Promise<string | null> {
  if (id === null) return null;
  return (await session.client.call(snapshotRoutes.get, { params: { id } })).hash.slice(0, 12);
}
