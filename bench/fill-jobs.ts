import { readFile } from 'node:fs/promises';
import path from 'node:path';
import pg from 'pg';

/** The database of a server that `mycloud up` started, as its owner. @param home the server's folder */
export async function openDatabase(home: string): Promise<pg.Client> {
  const { databasePassword } = JSON.parse(await readFile(path.join(home, 'secrets.json'), 'utf8')) as {
    databasePassword: string;
  };
  const port = (await readFile(path.join(home, 'postgres-port'), 'utf8')).trim();
  const client = new pg.Client(`postgres://mycloud:${databasePassword}@127.0.0.1:${port}/postgres`);
  await client.connect();
  return client;
}

/** Bytes of the database on the disk, indexes included. */
export const databaseSize = async (client: pg.Client): Promise<number> =>
  Number((await client.query('SELECT pg_database_size(current_database()) AS size')).rows[0].size);

/**
 * Jobs as they are after years, each with its attempt and the six events of its life: rows alone, nothing of them ran.
 * Then others that wait for a worker of machine gpu2.
 * @returns bytes of the database that a job takes
 */
export async function fillJobs(
  client: pg.Client,
  {
    project,
    workerId,
    finished,
    queued,
  }: { project: string; workerId: string; finished: number; queued: number },
): Promise<number> {
  // Rows of one statement refer to one another rightly: checking a million references takes minutes. No trigger runs either.
  await client.query('SET session_replication_role = replica');
  const before = await databaseSize(client);
  const insert = `INSERT INTO "Job" (id, "projectId", number, "ownerId", command, machine, environment, status, reason, attempt, priority, "createdAt", "queuedAt", "finishedAt", "ticketAt")
    SELECT gen_random_uuid(), p.id, $2::int + n, p."ownerId", 'train --epochs ' || n, 'gpu2', 'default'`;
  await client.query(
    `${insert}, 'succeeded', 'exit_zero', 1, 0, now() - n * interval '10 seconds', now() - n * interval '10 seconds', now() - n * interval '9 seconds', now()
     FROM "Project" p, generate_series(1, ${finished}) n WHERE p.name = $1`,
    [project, 0],
  );
  await client.query(
    `INSERT INTO "Attempt" ("jobId", number, "workerId", fence, "leaseUntil", "endedAt", reason)
     SELECT id, 1, $1, nextval('mycloud_fence'), "finishedAt", "finishedAt", 'exit_zero' FROM "Job" WHERE status = 'succeeded'`,
    [workerId],
  );
  await client.query(
    `INSERT INTO "Event" ("jobId", attempt, type, message)
     SELECT j.id, 1, 'running', 'the command runs' FROM "Job" j, generate_series(1, 6) WHERE status = 'succeeded'`,
  );
  await client.query(
    `${insert}, 'queued', NULL, 0, n, now(), now(), NULL, now() FROM "Project" p, generate_series(1, ${queued}) n WHERE p.name = $1`,
    [project, finished],
  );
  await client.query('INSERT INTO "JobText" SELECT j.id, mycloud_job_text(j) FROM "Job" j');
  await client.query(`UPDATE "Project" SET "lastJob" = ${finished + queued} WHERE name = $1`, [project]);
  const bytes = ((await databaseSize(client)) - before) / (finished + queued);
  await client.query('VACUUM ANALYZE');
  return bytes;
}
