import { version } from '@mycloud/shared';
import { aliveSince } from '../workers/view.js';
import type { Check } from './checks.js';

const names = (all: string[]): string =>
  all.length > 5 ? `${all.slice(0, 5).join(', ')} and ${all.length - 5} more` : all.join(', ');
const words = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

export const checkWorkers: Check = {
  name: 'Workers',
  hint: 'The database did not answer.',
  async look(deps) {
    const { rows } = await deps.pool.query<{
      name: string;
      version: string;
      draining: boolean;
      lastSeenAt: Date;
      attempts: number;
    }>(
      `SELECT w.name, w.version, w.draining, w."lastSeenAt",
         (SELECT count(*) FROM "Attempt" a WHERE a."workerId" = w.id AND a."endedAt" IS NULL)::int AS attempts
       FROM "Worker" w WHERE w."lastSeenAt" > now() - interval '7 days' ORDER BY w.name`,
    );
    const since = aliveSince(deps);
    const here = rows.filter((worker) => worker.lastSeenAt > since);
    const running = here.reduce((sum, worker) => sum + worker.attempts, 0);
    const text = `${words(here.length, 'worker')} here with ${words(running, 'job')}`;
    if (here.length === 0) {
      return {
        state: 'problem',
        text:
          rows.length > 0 ? `none is here; ${names(rows.map(({ name }) => name))} was` : 'there is none yet',
        hint: 'Start one on a machine that is to run jobs, with a token of `mycloud token create --worker` and this server as MYCLOUD_URL.',
      };
    }
    const lost = rows.filter((worker) => worker.lastSeenAt <= since).map(({ name }) => name);
    const others = here.filter((worker) => worker.version !== version).map(({ name }) => name);
    const draining = here.filter((worker) => worker.draining).map(({ name }) => name);
    const said = [
      ...(lost.length > 0 ? [`not heard of lately: ${names(lost)}`] : []),
      ...(others.length > 0 ? [`not of version ${version}: ${names(others)}`] : []),
      ...(draining.length > 0 ? [`take nothing new: ${names(draining)}`] : []),
    ];
    if (said.length === 0) return { state: 'ok', text };
    const hints = [
      ...(lost.length > 0 ? ['Start those that should be here.'] : []),
      ...(others.length > 0 ? ['Update workers and server to one version.'] : []),
      ...(draining.length > 0 ? ['`mycloud workers undrain NAME` lets one work again.'] : []),
    ];
    return { state: 'note', text: `${text}; ${said.join('; ')}`, hint: hints.join(' ') };
  },
};

export const checkLeases: Check = {
  name: 'Leases',
  hint: 'The database did not answer.',
  async look({ pool, config }) {
    const { rows } = await pool.query<{ overdue: number; sweptAgo: number | null }>(
      `SELECT (SELECT count(*) FROM "Attempt" WHERE "endedAt" IS NULL
           AND "leaseUntil" < now() - make_interval(secs => $1))::int AS overdue,
         (SELECT EXTRACT(EPOCH FROM now() - at)::float8 FROM "Heartbeat" WHERE name = 'leases') AS "sweptAgo"`,
      [3 * config.sweepSeconds + 5],
    );
    const { overdue, sweptAgo } = rows[0]!;
    const hint =
      'An api ends them in its sweep: look into the logs of the apis for "the sweep over leases and tickets failed".';
    if (sweptAgo === null || sweptAgo > 3 * config.sweepSeconds + 5) {
      const ago = sweptAgo === null ? 'never' : `${Math.round(sweptAgo)} s ago`;
      return { state: 'problem', text: `the sweep over leases ran last: ${ago}`, hint };
    }
    if (overdue > 0)
      return {
        state: 'problem',
        text: `${words(overdue, 'lease')} ran out and nobody ended the attempt`,
        hint,
      };
    return { state: 'ok', text: `none is stale; the sweep ran ${Math.round(sweptAgo)} s ago` };
  },
};

export const checkWaiting: Check = {
  name: 'Jobs that wait',
  hint: 'The database did not answer.',
  async look(deps) {
    const { rows } = await deps.pool.query<{ machine: string; jobs: number; workers: number }>(
      `SELECT j.machine, count(*)::int AS jobs,
         (SELECT count(*) FROM "Worker" w WHERE w."lastSeenAt" > $1 AND NOT w.draining AND j.machine = ANY(w.machines))::int AS workers
       FROM "Job" j WHERE j.status = 'queued' GROUP BY j.machine`,
      [aliveSince(deps)],
    );
    const stuck = rows.filter((row) => row.workers === 0);
    const all = rows.reduce((sum, row) => sum + row.jobs, 0);
    if (stuck.length === 0) return { state: 'ok', text: `${words(all, 'job')} in the queue` };
    return {
      state: 'problem',
      text: stuck
        .map((row) => `${words(row.jobs, 'job')} for ${row.machine}, which no worker here offers`)
        .join('; '),
      hint: 'Start a worker that offers it (MYCLOUD_WORKER_MACHINES), or stop those jobs.',
    };
  },
};

export const checkSchedules: Check = {
  name: 'Schedules',
  hint: 'The database did not answer.',
  async look({ pool }) {
    const { rows } = await pool.query<{ name: string; paused: boolean; overdue: boolean; failed: boolean }>(
      `SELECT u.name || '/projects/' || p.name || ' ' || c.name AS name, c."pausedAt" IS NOT NULL AS paused,
         c."pausedAt" IS NULL AND c."nextRunAt" < now() - interval '1 minute' AS overdue,
         COALESCE((SELECT r.outcome = 'failed' FROM "ScheduleRun" r WHERE r."scheduleId" = c.id ORDER BY r.id DESC LIMIT 1), false) AS failed
       FROM "Schedule" c JOIN "Project" p ON p.id = c."projectId" JOIN "User" u ON u.id = p."ownerId" ORDER BY 1`,
    );
    const overdue = rows.filter((row) => row.overdue).map(({ name }) => name);
    if (overdue.length > 0) {
      return {
        state: 'problem',
        text: `overdue: ${names(overdue)}`,
        hint: 'Look into the logs of the apis for "a schedule could not be run".',
      };
    }
    const failed = rows.filter((row) => row.failed).map(({ name }) => name);
    if (failed.length > 0) {
      return {
        state: 'note',
        text: `could not submit their jobs last time: ${names(failed)}`,
        hint: '`mycloud schedule list` says why.',
      };
    }
    const paused = rows.filter((row) => row.paused).length;
    return { state: 'ok', text: `${words(rows.length, 'schedule')}, ${paused} of them paused` };
  },
};

export const checkNotifications: Check = {
  name: 'Notifications',
  hint: 'The database did not answer.',
  async look({ pool }) {
    const { rows } = await pool.query<{ pending: number; late: number; disabled: number }>(
      `SELECT count(*)::int AS pending, (count(*) FILTER (WHERE "createdAt" < now() - interval '10 minutes'))::int AS late,
         (SELECT count(*) FROM "NotificationChannel" WHERE "disabledAt" IS NOT NULL)::int AS disabled
       FROM "Delivery" WHERE state = 'pending'`,
    );
    const { pending, late, disabled } = rows[0]!;
    const text = `${pending} to be delivered, ${late} of them for more than 10 minutes; ${words(disabled, 'channel')} disabled`;
    if (late === 0 && disabled === 0) return { state: 'ok', text: `${pending} to be delivered` };
    return {
      state: 'note',
      text,
      hint: 'The receivers fail: `mycloud notify log` tells their user what they answered, `mycloud notify enable ID` sends again.',
    };
  },
};
