import { AppError, scheduleRoutes as routes, type Schedule } from '@mycloud/shared';
import { confirm } from '../confirm.js';
import { openSession, type Session } from '../context.js';
import { hint, print, printJson } from '../output.js';
import { showSubmitted } from '../submitted.js';
import { paint, table, timeText } from '../text.js';

interface Json {
  json?: boolean;
}

export async function scheduleList({ json }: Json): Promise<void> {
  const session = await openSession();
  const answer = await session.client.call(routes.list, {});
  if (json) return printJson(answer);
  if (answer.items.length === 0) {
    return hint('None. Make one in a folder with code: mycloud schedule create --cron "0 3 * * *" "COMMAND"');
  }
  const rows = answer.items.map((schedule) => [
    `${schedule.owner}/projects/${schedule.project}`,
    schedule.name,
    schedule.cron,
    schedule.timezone,
    schedule.nextRunAt ? timeText(schedule.nextRunAt) : paint(process.stdout).yellow('paused'),
    lastRun(schedule),
    schedule.command,
  ]);
  print(table(['PROJECT', 'NAME', 'TIMES', 'ZONE', 'NEXT', 'LAST', 'COMMAND'], rows));
}

const lastRun = ({ runs: [run] }: Schedule): string => {
  if (!run) return '–';
  const what = run.job ? `${run.outcome} ${run.job.split('/').at(-1)}` : run.outcome;
  return `${timeText(run.dueAt)} ${what}`;
};

export async function scheduleInfo(name: string, { json }: Json): Promise<void> {
  const session = await openSession();
  const schedule = await session.client.call(routes.get, { params: await scheduleNamed(session, name) });
  if (json) return printJson(schedule);
  const facts: [string, string][] = [
    ['Schedule', `${schedule.owner}/projects/${schedule.project} ${schedule.name}`],
    ['Times', `${schedule.cron} (${schedule.timezone})`],
    ['Next', schedule.nextRunAt ? timeText(schedule.nextRunAt) : 'paused'],
    ['While one runs', schedule.overlap === 'skip' ? 'the time is skipped' : 'another is queued'],
    ['Command', schedule.command],
    ['Machine', schedule.machine],
    ['Environment', schedule.environment],
    ['Data', schedule.mounts.map((mount) => `${mount.source}:${mount.name}`).join(', ') || 'none'],
  ];
  for (const [title, value] of facts) print(`${title.padEnd(15)} ${value}`);
  if (schedule.runs.length === 0) return hint('It has not run yet.');
  const rows = schedule.runs.map((run) => [
    timeText(run.dueAt),
    run.outcome,
    run.job ?? '–',
    [run.manual && 'by hand', run.message].filter(Boolean).join(': '),
  ]);
  print(`\n${table(['DUE', 'OUTCOME', 'JOB', ''], rows)}`);
}

export async function schedulePause(name: string, paused: boolean, { json }: Json): Promise<void> {
  const session = await openSession();
  const params = await scheduleNamed(session, name);
  const schedule = await session.client.call(routes.update, { params, body: { paused } });
  if (json) return printJson(schedule);
  if (schedule.nextRunAt) print(`${schedule.name} runs next at ${timeText(schedule.nextRunAt)}.`);
  else print(`${schedule.name} is paused. To go on: mycloud schedule resume ${schedule.name}`);
}

export async function scheduleRun(name: string, { json }: Json): Promise<void> {
  const session = await openSession();
  const job = await session.client.call(routes.run, { params: await scheduleNamed(session, name) });
  await showSubmitted(session, job, { json });
}

export async function scheduleDelete(name: string, { json, yes }: Json & { yes?: boolean }): Promise<void> {
  const session = await openSession();
  const params = await scheduleNamed(session, name);
  await confirm(`Delete the schedule ${params.name} of ${params.owner}/projects/${params.project}?`, yes);
  await session.client.call(routes.delete, { params });
  if (json) printJson({ deleted: params.name });
  else print(`${params.name} was deleted; the jobs it submitted stay.`);
}

/** `nightly` of this folder's project, or `owner/projects/project/nightly`. @throws AppError bad_request */
async function scheduleNamed(
  session: Session,
  text: string,
): Promise<{ owner: string; project: string; name: string }> {
  const [, owner, project, full] = /^([^/]+)\/(?:projects\/)?([^/]+)\/([^/]+)$/.exec(text) ?? [];
  if (owner && project && full) return { owner, project, name: full };
  const folder = await session.folder();
  if (folder) return { ...folder, name: text };
  throw new AppError('bad_request', 'this folder belongs to no project, so a schedule needs its full name', {
    hint: `Write OWNER/projects/PROJECT/${text}; \`mycloud schedule list\` shows them.`,
  });
}
