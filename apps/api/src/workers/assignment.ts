import { AppError, type Assignment, type JobMode, jobName } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import { one, prepared } from '../jobs/sql.js';
import type { Claimed } from '../jobs/transitions/begin.js';

import type { WorkerRow } from './held.js';

interface Row {
  owner: string;
  project: string;
  number: number;
  mode: JobMode;
  command: string;
  env: Record<string, string>;
  machine: string;
  environment: string;
  tensorboard: boolean;
  maxRuntimeSeconds: number | null;
  idleSeconds: number | null;
  jupyterToken: string | null;
  traceparent: string | null;
  codeId: string | null;
  codeHash: string | null;
  outputId: string | null;
  outputHash: string | null;
  notes: string[];
}

const pair = (snapshotId: string | null, snapshot: string | null) =>
  snapshotId && snapshot ? { snapshotId, snapshot } : null;

/** All a worker needs to run the attempt it claimed. */
export async function assignmentOf(
  deps: Deps,
  worker: WorkerRow,
  claimed: Omit<Claimed, 'waited'>,
): Promise<Assignment> {
  const [row, mounts] = await Promise.all([
    one<Row>(
      deps.pool,
      `SELECT u.name AS owner, p.name AS project, j.number, j.mode, j.command, j.env, j.machine, j.environment, j.tensorboard,
         j."maxRuntimeSeconds", j."idleSeconds", j."jupyterToken", j.traceparent,
         ARRAY(SELECT e.message FROM "Event" e WHERE e."jobId" = j.id AND e.type = 'note' ORDER BY e.id) AS notes,
         c.id AS "codeId", c.hash AS "codeHash", o.id AS "outputId", o.hash AS "outputHash"
       FROM "Job" j JOIN "Project" p ON p.id = j."projectId" JOIN "User" u ON u.id = p."ownerId"
         LEFT JOIN "Snapshot" c ON c.id = j."codeSnapshotId" LEFT JOIN "Snapshot" o ON o.id = j."outputSnapshotId"
       WHERE j.id = $1`,
      [claimed.jobId],
    ),
    deps.pool.query<{ name: string; snapshotId: string; snapshot: string }>(
      prepared(
        `SELECT m.name, m."snapshotId", s.hash AS snapshot FROM "Mount" m JOIN "Snapshot" s ON s.id = m."snapshotId"
       WHERE m."jobId" = $1 ORDER BY m.name`,
        [claimed.jobId],
      ),
    ),
  ]);
  if (!row) throw new AppError('internal', `the claimed job ${claimed.jobId} is gone`);
  const machine = deps.catalogue.machine(row.machine);
  const environment = deps.catalogue.environment(row.environment);
  const notes = [...row.notes];
  if (environment.interpreter === 'node' && /^(python|pip)[\d.]*\s/.test(row.command)) {
    notes.push(
      `the environment ${environment.name} is made for Node and brings no Python; keras-2.15 has TensorFlow, python3 what requirements.txt names`,
    );
  }
  if (machine.gpus > worker.gpus) {
    const has = worker.gpus === 0 ? 'no GPU; the job runs on the CPU' : `only ${worker.gpus}`;
    notes.push(`${machine.name}: this server has ${has}`);
  }
  return {
    ...claimed,
    name: jobName(row),
    owner: row.owner,
    leaseSeconds: deps.config.leaseSeconds,
    mode: row.mode,
    command: row.command,
    env: row.env,
    machine,
    environment,
    mounts: mounts.rows,
    code: pair(row.codeId, row.codeHash),
    // A job's output before its end is what an earlier attempt synced last.
    restore: claimed.attempt > 1 ? pair(row.outputId, row.outputHash) : null,
    tensorboard: row.tensorboard,
    maxRuntimeSeconds: row.maxRuntimeSeconds,
    idleSeconds: row.idleSeconds,
    jupyterToken: row.jupyterToken,
    traceparent: row.traceparent,
    notes,
  };
}
