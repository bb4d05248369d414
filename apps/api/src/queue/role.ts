import pg from 'pg';

const role = 'mycloud_queue';

/**
 * Makes the role that workers of an embedded server take tickets with: it may use the queue's schema and nothing else.
 * Tables that a later BullMQ adds there are covered too.
 */
export async function ensureQueueRole(
  client: pg.ClientBase,
  schema: string,
  password: string,
): Promise<void> {
  const { rows } = await client.query<{ database: string }>('SELECT current_database() AS database');
  const database = pg.escapeIdentifier(rows[0]!.database);
  const inSchema = pg.escapeIdentifier(schema);
  await client.query('BEGIN');
  try {
    // Roles belong to the whole cluster: two servers that start at once would trip over each other.
    await client.query(`SELECT pg_advisory_xact_lock(hashtext('${role}'))`);
    const { rowCount } = await client.query('SELECT 1 FROM pg_roles WHERE rolname = $1', [role]);
    const verb = rowCount === 0 ? 'CREATE' : 'ALTER';
    await client.query(
      `${verb} ROLE ${role} WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD ${pg.escapeLiteral(password)}`,
    );
    await client.query(`
      ALTER ROLE ${role} SET synchronous_commit = off;
      REVOKE ALL ON ALL TABLES IN SCHEMA public FROM ${role};
      REVOKE ALL ON SCHEMA public FROM ${role};
      GRANT CONNECT ON DATABASE ${database} TO ${role};
      GRANT USAGE ON SCHEMA ${inSchema} TO ${role};
      GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ${inSchema} TO ${role};
      GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA ${inSchema} TO ${role};
      GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA ${inSchema} TO ${role};
      ALTER DEFAULT PRIVILEGES IN SCHEMA ${inSchema} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ${role};
      ALTER DEFAULT PRIVILEGES IN SCHEMA ${inSchema} GRANT USAGE, SELECT, UPDATE ON SEQUENCES TO ${role};
      ALTER DEFAULT PRIVILEGES IN SCHEMA ${inSchema} GRANT EXECUTE ON FUNCTIONS TO ${role}`);
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  }
}
