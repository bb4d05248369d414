import type pg from 'pg';

/** BullMQ keeps its tables in this schema of its own. */
export const queueSchema = 'bullmq';
export const queueRole = 'mycloud_queue';

/**
 * Makes the role with which workers read tickets: it sees the queue's schema and nothing else of the database.
 * @param password of [A-Za-z0-9_-], checked by the configuration
 */
export async function ensureQueueRole(pool: pg.Pool, password: string): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    // Two servers at once would both find it missing.
    await client.query(`SELECT pg_advisory_xact_lock(hashtext('mycloud_queue_role'))`);
    const { rowCount } = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [queueRole]);
    await client.query(`${rowCount ? 'ALTER' : 'CREATE'} ROLE ${queueRole} LOGIN PASSWORD '${password}'`);
    await client.query('REVOKE CREATE ON SCHEMA public FROM PUBLIC');
    await client.query(`REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, ${queueRole}`);
    await client.query(`REVOKE USAGE ON SCHEMA public FROM PUBLIC`);
    await client.query(`GRANT USAGE ON SCHEMA ${queueSchema} TO ${queueRole}`);
    for (const [what, rights] of [
      ['TABLES', 'SELECT, INSERT, UPDATE, DELETE'],
      ['SEQUENCES', 'USAGE, SELECT'],
      ['FUNCTIONS', 'EXECUTE'],
    ]) {
      await client.query(`GRANT ${rights} ON ALL ${what} IN SCHEMA ${queueSchema} TO ${queueRole}`);
      await client.query(
        `ALTER DEFAULT PRIVILEGES IN SCHEMA ${queueSchema} GRANT ${rights} ON ${what} TO ${queueRole}`,
      );
    }
    await client.query('COMMIT');
    client.release();
  } catch (error) {
    client.release(true);
    throw error;
  }
}
