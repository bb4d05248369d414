import type { FastifyRateLimitStore } from '@fastify/rate-limit';
import type pg from 'pg';

/**
 * Counts of @fastify/rate-limit in the database: the next try may come to another api. holds: of many at once each is
 * counted.
 */
export function sharedTries(pool: pg.Pool): new () => FastifyRateLimitStore {
  return class SharedTries implements FastifyRateLimitStore {
    incr(
      key: string,
      done: (error: Error | null, result?: { current: number; ttl: number }) => void,
      timeWindow = 60_000,
    ): void {
      pool
        .query<{ current: number; ttl: number }>(
          `INSERT INTO "Tries" AS t (key, count, "endsAt") VALUES ($1, 1, now() + make_interval(secs => $2))
           ON CONFLICT (key) DO UPDATE SET
             count = CASE WHEN t."endsAt" < now() THEN 1 ELSE t.count + 1 END,
             "endsAt" = CASE WHEN t."endsAt" < now() THEN EXCLUDED."endsAt" ELSE t."endsAt" END
           RETURNING count AS current, ceil(extract(epoch FROM "endsAt" - now()) * 1000)::int AS ttl`,
          [key.slice(0, 300), timeWindow / 1000],
        )
        .then(
          ({ rows }) => done(null, rows[0]),
          (error: Error) => done(error),
        );
    }

    child(): FastifyRateLimitStore {
      return this;
    }
  };
}
