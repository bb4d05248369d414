import type { Deps } from '../deps.js';
import { heldByLimits } from './running-limits.js';
import { one } from './sql.js';
import { ordinal } from './text.js';

interface Waiting {
  id: string;
  machine: string;
  priority: number;
  queuedAt: Date;
}

/** Hour and minute as the server's clock on the wall shows them. */
const clock = (time: Date): string =>
  `${String(time.getHours()).padStart(2, '0')}:${String(time.getMinutes()).padStart(2, '0')}`;

/**
 * Why a queued job waits: its place in line, who could run it and what they run instead.
 * Names only jobs that everybody who sees this one may see: of public projects, or of the same owner when this one is private.
 */
export async function waitingSentence(deps: Deps, job: Waiting): Promise<string> {
  const { machine } = job;
  const place = await one<{ ahead: number }>(
    deps.pool,
    `SELECT count(*)::int AS ahead FROM "Job" WHERE status = 'queued' AND machine = $1
       AND (priority, "queuedAt", id) < (SELECT priority, "queuedAt", id FROM "Job" WHERE id = $2)`,
    [machine, job.id],
  );
  const asked = deps.catalogue.machines.find((one) => one.name === machine);
  if (!asked) return `this server has no machine ${machine} any more; stop it and submit it for another`;
  const held = await heldByLimits(deps, job.id, asked.gpus);
  if (held) return held;
  const gpus = deps.config.embedded ? 0 : asked.gpus;
  const { rows: workers } = await deps.pool.query<{ id: string; name: string }>(
    `SELECT id, name FROM "Worker" WHERE $1 = ANY(machines) AND gpus >= $2
       AND "lastSeenAt" > now() - make_interval(secs => $3)`,
    [machine, gpus, deps.config.leaseSeconds * 2],
  );
  if (workers.length === 0) {
    return `no worker offers ${machine}; start one with a worker token on a computer that has ${
      gpus > 0 ? `${gpus === 1 ? 'a GPU' : `${gpus} GPUs`}` : 'room for it'
    }`;
  }
  const offers = `${workers.length} ${workers.length === 1 ? 'worker offers' : 'workers offer'} ${machine}`;
  return `${ordinal((place?.ahead ?? 0) + 1)} in line for ${machine}; ${offers}${await busyWith(deps, job, workers)}`;
}

async function busyWith(deps: Deps, job: Waiting, workers: { id: string }[]): Promise<string> {
  const { rows } = await deps.pool.query<{ name: string; since: Date; seen: boolean }>(
    `SELECT u.name || '/projects/' || p.name || '/' || j.number AS name, a."startedAt" AS since,
       p.public OR (p."ownerId" = mp."ownerId" AND NOT mp.public) AS seen
     FROM "Attempt" a JOIN "Job" j ON j.id = a."jobId" JOIN "Project" p ON p.id = j."projectId"
       JOIN "User" u ON u.id = p."ownerId", "Job" mj JOIN "Project" mp ON mp.id = mj."projectId"
     WHERE a."workerId" = ANY($1) AND a."endedAt" IS NULL AND mj.id = $2 ORDER BY a."startedAt"`,
    [workers.map((worker) => worker.id), job.id],
  );
  const [first] = rows;
  if (!first) return '';
  const name = first.seen ? first.name : "another user's job";
  const others = rows.length > 1 ? ` and ${rows.length - 1} more` : '';
  return `, busy with ${name} since ${clock(first.since)}${others}`;
}

/** The same in lists, without a look at the line. */
export const waitingShort = (job: Pick<Waiting, 'machine'>): string => `waits for ${job.machine}`;
