import { type Assignment, jobName } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import type { Claimed } from '../jobs/transitions/claim.js';
import type { WorkerRow } from './held.js';

const pair = (snapshotId: string | null, snapshot: string | null) =>
  snapshotId && snapshot ? { snapshotId, snapshot } : null;

/** All a worker needs to run the attempt it claimed. */
export function assignmentOf(deps: Deps, worker: WorkerRow, claimed: Claimed): Assignment {
  const machine = deps.catalogue.machine(claimed.machine);
  const environment = deps.catalogue.environment(claimed.environment);
  const notes = [...claimed.notes];
  if (environment.interpreter === 'node' && /^(python|pip)[\d.]*\s/.test(claimed.command)) {
    notes.push(
      `the environment ${environment.name} is made for Node and brings no Python; keras-2.15 has TensorFlow, python3 what requirements.txt names`,
    );
  }
  if (machine.gpus > worker.gpus) {
    const has = worker.gpus === 0 ? 'no GPU; the job runs on the CPU' : `only ${worker.gpus}`;
    notes.push(`${machine.name}: this server has ${has}`);
  }
  return {
    jobId: claimed.jobId,
    attempt: claimed.attempt,
    fence: Number(claimed.fence),
    name: jobName(claimed),
    owner: claimed.owner,
    leaseSeconds: deps.config.leaseSeconds,
    mode: claimed.mode,
    command: claimed.command,
    env: claimed.env,
    machine,
    environment,
    mounts: claimed.mounts,
    code: pair(claimed.codeId, claimed.codeHash),
    // A job's output before its end is what an earlier attempt synced last.
    restore: claimed.attempt > 1 ? pair(claimed.outputId, claimed.outputHash) : null,
    tensorboard: claimed.tensorboard,
    maxRuntimeSeconds: claimed.maxRuntimeSeconds,
    idleSeconds: claimed.idleSeconds,
    jupyterToken: claimed.jupyterToken,
    traceparent: claimed.traceparent,
    notes,
  };
}
