import { imagePrefix } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import { heldByLimits, isLimited } from './running-limits.js';
import { one, prepared } from './sql.js';
import { ordinal } from './text.js';

interface Waiting {
  id: string;
  machine: string;
  environment: string;
  priority: number;
  queuedAt: Date;
}

/** Hour and minute as the server's clock on the wall shows them. */
const clock = (time: Date): string =>
  `${String(time.getHours()).padStart(2, '0')}:${String(time.getMinutes()).padStart(2, '0')}`;

/** A job that runs where another would like to. */
interface Busy {
  name: string;
  workerId: string;
  since: Date;
  ownerId: string;
  public: boolean;
}

/** A worker that offers the machine. */
interface Offering {
  id: string;
  name: string;
  draining: boolean;
  gpus: number;
  foreignGpus: number;
  images: boolean;
}

/** Who could run what waits for a machine, and what they run instead. */
export interface Line {
  machine: string;
  /** Of the machine; undefined when the catalogue has it no more. */
  gpus: number | undefined;
  workers: Offering[];
  /** Names of those that would be among them, were they not drained. */
  drained: string[];
  busy: Busy[];
}

/** Looks at the workers of a machine's line. */
export async function lineOf(deps: Deps, machine: string): Promise<Line> {
  const asked = deps.catalogue.machines.find((one) => one.name === machine);
  const gpus = deps.config.embedded ? 0 : (asked?.gpus ?? 0);
  const { rows } = await deps.pool.query<Offering & { busy: (Omit<Busy, 'since'> & { since: string })[] }>(
    prepared(
      `SELECT w.id, w.name, w.draining, w.gpus, w."foreignGpus", w.images, (
         SELECT COALESCE(json_agg(json_build_object('name', u.name || '/projects/' || p.name || '/' || j.number,
           'workerId', w.id, 'since', a."startedAt", 'ownerId', p."ownerId", 'public', p.public)), '[]')
         FROM "Attempt" a JOIN "Job" j ON j.id = a."jobId" JOIN "Project" p ON p.id = j."projectId"
           JOIN "User" u ON u.id = p."ownerId"
         WHERE a."workerId" = w.id AND a."endedAt" IS NULL) AS busy
       FROM "Worker" w WHERE $1 = ANY(machines) AND gpus >= $2 AND "lastSeenAt" > now() - make_interval(secs => $3)`,
      [machine, gpus, deps.config.leaseSeconds * 2],
    ),
  );
  const workers = rows.filter((worker) => !worker.draining);
  const busy = workers
    .flatMap((worker) => worker.busy.map((one) => ({ ...one, since: new Date(one.since) })))
    .sort((a, b) => a.since.getTime() - b.since.getTime());
  const drained = rows.filter((worker) => worker.draining).map((worker) => worker.name);
  return { machine, gpus: asked?.gpus, workers, drained, busy };
}

/** Whether a job of this environment needs a worker that runs container images. */
export const needsImages = (deps: Deps, environment: string): boolean =>
  environment.startsWith(imagePrefix) || deps.catalogue.imageOnly.includes(environment);

/**
 * Why a job waits in this line.
 * @param job its place (1: the next), and whether it is a container image
 * @param sees whether a job that runs may be named
 */
export function waitingReason(
  deps: Deps,
  line: Line,
  job: { place: number; image: boolean },
  sees: (job: Busy) => boolean,
): string {
  const { machine, gpus, drained } = line;
  if (gpus === undefined)
    return `this server has no machine ${machine} any more; stop it and submit it for another`;
  if (line.workers.length === 0 && drained.length > 0)
    return `every worker that offers ${machine} is being drained (${drained.join(', ')}) and takes nothing new`;
  if (line.workers.length === 0) {
    const needs = deps.config.embedded ? 0 : gpus;
    return `no worker offers ${machine}; start one with a worker token on a computer that has ${
      needs > 0 ? `${needs === 1 ? 'a GPU' : `${needs} GPUs`}` : 'room for it'
    }`;
  }
  const workers = line.workers.filter((worker) => worker.images || !job.image);
  if (workers.length === 0)
    return `no worker that offers ${machine} runs container images; start Docker on one and then the worker again`;
  const offers = `${workers.length} ${workers.length === 1 ? 'worker offers' : 'workers offer'} ${machine}`;
  const busy = line.busy.filter(({ workerId }) => workers.some(({ id }) => id === workerId));
  return `${ordinal(job.place)} in line for ${machine}; ${offers}${busyWith(busy, sees)}${foreign(workers, gpus)}`;
}

function busyWith([first, ...others]: Busy[], sees: (job: Busy) => boolean): string {
  if (!first) return '';
  const name = sees(first) ? first.name : "another user's job";
  const more = others.length > 0 ? ` and ${others.length} more` : '';
  return `, busy with ${name} since ${clock(first.since)}${more}`;
}

/** GPUs are given to one program at a time, whoever started it. */
function foreign(workers: Offering[], gpus: number): string {
  const held = workers.filter(
    (worker) => worker.foreignGpus > 0 && worker.gpus - worker.foreignGpus < Math.min(gpus, worker.gpus),
  );
  const each = held.map(
    ({ name, foreignGpus, gpus: all }) =>
      `; on ${name} ${foreignGpus} of ${all} ${all === 1 ? 'GPU' : 'GPUs'} ${foreignGpus === 1 ? 'is' : 'are'} used by programs that are no jobs`,
  );
  return each.join('');
}

/**
 * Why a queued job waits: its place in line, who could run it and what they run instead.
 * Names only jobs that everybody who sees this one may see: of public projects, or of the same owner when this one is private.
 */
export async function waitingSentence(deps: Deps, job: Waiting): Promise<string> {
  const found = await one<{ ahead: number; ownerId: string; public: boolean; limited: boolean }>(
    deps.pool,
    `SELECT p."ownerId", p.public, (SELECT count(*)::int FROM "Job" WHERE status = 'queued' AND machine = $1
       AND (priority, "queuedAt", id) < (j.priority, j."queuedAt", j.id)) AS ahead, ${isLimited} AS limited
     FROM "Job" j JOIN "Project" p ON p.id = j."projectId" WHERE j.id = $2`,
    [job.machine, job.id],
  );
  const asked = deps.catalogue.machines.find(({ name }) => name === job.machine);
  const held = asked && found?.limited && (await heldByLimits(deps, job.id, asked.gpus));
  if (held) return held;
  const line = await lineOf(deps, job.machine);
  const sees = (other: Busy) => other.public || (other.ownerId === found?.ownerId && !found.public);
  const place = (found?.ahead ?? 0) + 1;
  return waitingReason(deps, line, { place, image: needsImages(deps, job.environment) }, sees);
}

/** The same in lists, without a look at the line. */
export const waitingShort = (job: Pick<Waiting, 'machine'>): string => `waits for ${job.machine}`;
