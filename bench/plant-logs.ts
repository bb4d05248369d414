import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type pg from 'pg';
import { packLog } from '../apps/api/src/logs/archive.js';
import type { StoredLine } from '../apps/api/src/logs/lines.js';

/** Logs are packed two at a time, which keeps both cores busy: one writes lines while the other's are compressed. */
const lanes = 4;
const rowsPerUpdate = 1000;

interface Planted {
  lines: number;
  /** Of the objects in the store. */
  bytes: number;
}

interface Ended {
  jobId: string;
  number: number;
  fence: string;
  endedAt: Date;
}

/**
 * Logs of ended jobs as the compaction leaves them: an object of the store and the row that names it, each line of its own.
 * The objects are made by the compaction's own code; what is spared is sending the lines and waiting for the disk.
 * @param logs how many lines each job of the project gets, by its number
 */
export async function plantLogs(
  client: pg.Client,
  home: string,
  project: string,
  logs: ReadonlyMap<number, number>,
): Promise<Planted> {
  const { rows } = await client.query<Ended & { job: number }>(
    `SELECT a."jobId", a.number, a.fence, a."endedAt", j.number AS job FROM "Attempt" a JOIN "Job" j ON j.id = a."jobId"
     JOIN "Project" p ON p.id = j."projectId" WHERE p.name = $1 AND j.number = ANY($2)`,
    [project, [...logs.keys()]],
  );
  const planted: Planted = { lines: 0, bytes: 0 };
  const update: unknown[][] = [[], [], [], [], []];
  const flush = async () => {
    const columns = update.map((column) => column.splice(0));
    await client.query(
      `UPDATE "Attempt" a SET "lastSeq" = n.lines, "logKey" = n.key, "logIndex" = n.index::jsonb
       FROM unnest($1::uuid[], $2::int[], $3::int[], $4::text[], $5::text[]) n("jobId", number, lines, key, index)
       WHERE a."jobId" = n."jobId" AND a.number = n.number`,
      columns,
    );
  };
  let updating = Promise.resolve();
  const waiting = rows.values();
  const lane = async () => {
    for (const attempt of waiting) {
      const count = logs.get(attempt.job) ?? 0;
      const { bytes, index } = await packLog(linesOf(attempt, count));
      const key = `logs/${attempt.jobId}/${attempt.number}-${attempt.fence}.jsonl.gz`;
      const file = path.join(home, 'store/objects', key);
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, bytes);
      planted.lines += count;
      planted.bytes += bytes.length;
      for (const [i, value] of [attempt.jobId, attempt.number, count, key, JSON.stringify(index)].entries())
        update[i]?.push(value);
      if ((update[0]?.length ?? 0) >= rowsPerUpdate) updating = updating.then(flush);
      await updating;
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  await flush();
  await client.query('VACUUM ANALYZE "Attempt"');
  return planted;
}

/** What a training prints: numbers that differ from line to line, and so do those of two jobs. The last line ends with the attempt. */
async function* linesOf({ fence, endedAt }: Ended, count: number): AsyncGenerator<StoredLine> {
  const from = endedAt.getTime() - count;
  let state = Number(fence) * 2654435761 + 1;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  for (let n = 1; n <= count; n++) {
    const [epoch, step] = [Math.ceil(n / 125), ((n - 1) % 125) + 1];
    const loss = 0.3 + next() / (1 + epoch / 1000);
    const text = `epoch ${epoch} step ${step}/125 loss: ${loss.toFixed(4)} acc: ${(1 - loss / 2).toFixed(4)} lr: 0.001 ${Math.floor(next() * 400)} images/s`;
    yield [from + n, 0, text];
  }
}
