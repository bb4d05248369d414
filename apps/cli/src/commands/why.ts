import {
  isEnd,
  type Job,
  type JobEvent,
  jobRoutes,
  type LogLine,
  logRoutes,
  machineRoutes,
  type WorkerInfo,
} from '@mycloud/shared';
import { adviceFor } from '../advice.js';
import { openSession, type Session } from '../context.js';
import { durationOf, statusText } from '../job-text.js';
import { lineText } from '../log-line.js';
import { print, printJson } from '../output.js';
import { bytesText, countText, paint } from '../text.js';

/** Why a job is where it is. */
interface Answer {
  job: string;
  status: Job['status'];
  reason: Job['reason'];
  /** Of the line of its machine, 1: the next; only where it waits. */
  place?: number;
  why: string[];
  /** Of a job that ended badly: its last lines. */
  lines: LogLine[];
  /** What to do. */
  next: string[];
}

/** Says why a job waits, what it is doing, or why it ended, with what to do about it. */
export async function why(name: string | undefined, { json }: { json?: boolean }): Promise<void> {
  const session = await openSession();
  const params = await session.jobRef(name);
  const job = await session.client.call(jobRoutes.get, { params });
  const { items: events } = await session.client.call(jobRoutes.events, { params });
  const answer =
    job.status === 'queued'
      ? await waiting(session, job, events)
      : isEnd(job.status)
        ? await ended(session, job, events)
        : busy(job, events);
  if (json) return printJson(answer);
  const c = paint(process.stdout);
  print(`${job.name}: ${statusText(job)}`);
  for (const line of answer.why) print(`  ${line}`);
  if (answer.lines.length > 0) print(`${c.dim('its last lines')}`);
  for (const line of answer.lines) print(`  ${lineText(line)}`);
  if (answer.next.length > 0) print(`${c.dim('what to do')}`);
  for (const line of answer.next) print(`  ${line}`);
}

const answerOf = (job: Job, more: Partial<Answer>): Answer => ({
  job: job.name,
  status: job.status,
  reason: job.reason,
  why: [],
  lines: [],
  next: [],
  ...more,
});

/** Its place, and what each worker is doing that could take it. */
async function waiting(session: Session, job: Job, events: JobEvent[]): Promise<Answer> {
  const [{ items: line }, { items: workers }, { items: machines }] = await Promise.all([
    session.client.call(machineRoutes.queue, { query: { limit: 2000 } }),
    session.client.call(machineRoutes.workers, {}),
    session.client.call(machineRoutes.machines, {}),
  ]);
  const place = line.find(({ id }) => id === job.id)?.place;
  const offering = workers.filter((worker) => worker.machines.includes(job.machine));
  const ready = offering.filter((worker) => worker.alive && !worker.draining);
  const others = machines.filter((machine) => machine.workers > 0 && machine.name !== job.machine);
  const last = events.findLast((event) => event.reason !== null);
  return answerOf(job, {
    place,
    why: [
      job.message ?? 'it waits to be taken',
      ...(last && job.attempt > 0 ? [`attempt ${job.attempt} ended before: ${last.message}`] : []),
      ...offering.map((worker) => `${worker.name} offers ${job.machine}: ${stateOf(worker)}`),
    ],
    next:
      ready.length > 0
        ? [`Wait (mycloud status ${job.name} --watch), or give up its place: mycloud stop ${job.name}`]
        : [
            `No worker takes jobs for ${job.machine} now: start one, or ask who runs the server.`,
            ...(others.length > 0
              ? [
                  `Or submit it for ${others.map(({ name }) => name).join(' or ')}: mycloud stop ${job.name}; mycloud restart ${job.name} --machine ${others[0]!.name}`,
                ]
              : []),
          ],
  });
}

function stateOf(worker: WorkerInfo): string {
  if (!worker.alive) return `away, last heard of ${worker.lastSeenAt}`;
  const running = [
    ...worker.jobs,
    ...(worker.otherJobs > 0 ? [countText(worker.otherJobs, "other's job")] : []),
  ];
  const busy = running.length > 0 ? `it runs ${running.join(', ')}` : 'it runs nothing';
  const free = worker.use
    ? `, ${bytesText(Math.max(0, worker.memoryBytes - worker.use.memoryBytes))} of memory free`
    : '';
  return `${worker.draining ? 'being drained; ' : ''}${busy}${free}`;
}

/** It isn't over: what it is at, since when and where. */
function busy(job: Job, events: JobEvent[]): Answer {
  const last = events.at(-1);
  return answerOf(job, {
    why: [
      `${job.status} on ${job.worker}${job.startedAt ? ` for ${durationOf(job)}` : ''}${last ? `; ${last.time}: ${last.message}` : ''}`,
      ...(job.attempt > 1 ? [`it is attempt ${job.attempt}`] : []),
    ],
    next: [`Follow it: mycloud logs -f ${job.name}`],
  });
}

const shownLines = 10;

async function ended(session: Session, job: Job, events: JobEvent[]): Promise<Answer> {
  const { owner, project, number } = job;
  const params = { owner, project, number };
  const lines =
    job.status === 'succeeded'
      ? []
      : (await session.client.call(logRoutes.range, { params, query: { tail: shownLines } })).lines;
  const earlier = events.filter((event) => event.reason !== null && event.attempt < job.attempt);
  return answerOf(job, {
    why: [
      `${job.message}${job.startedAt ? `, after ${durationOf(job)} on ${job.worker}` : ''}`,
      ...earlier.map((event) => `attempt ${event.attempt} before it: ${event.message}`),
    ],
    lines,
    next: adviceFor(job),
  });
}
