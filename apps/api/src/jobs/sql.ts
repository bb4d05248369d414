import type pg from 'pg';

/** A pool, or one connection of it inside a transaction. */
export type Sql = Pick<pg.Pool, 'query'>;

/** Runs `work` in one transaction; whatever it throws rolls all of it back. */
export async function transaction<T>(pool: pg.Pool, work: (sql: Sql) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    // A connection that can't even roll back is thrown away, and the first error is the one told.
    await client.query('ROLLBACK').catch((e: Error) => {
      broken = e;
    });
    throw error;
  } finally {
    client.release(broken);
  }
}

const names = new Map<string, string>();

/**
 * A statement that a connection parses and plans once, however often it is asked: planning costs Postgres more than most of
 * ours do. For texts of which there are few: a connection keeps them all.
 */
export function prepared(text: string, values: unknown[]): pg.QueryConfig {
  const name = names.get(text) ?? `mycloud_${names.size}`;
  names.set(text, name);
  return { name, text, values };
}

/** The first row, or undefined. The statement is prepared. */
export async function one<T extends pg.QueryResultRow>(
  sql: Sql,
  text: string,
  values: unknown[],
): Promise<T | undefined> {
  return (await sql.query<T>(prepared(text, values))).rows[0];
}
