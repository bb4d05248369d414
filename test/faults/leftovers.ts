import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, machineRoutes } from '@mycloud/shared';
import { carrying } from '../support/processes.js';
import type { Deployment } from './deployment.js';
import { patiently } from './patient.js';

const cgroupRoots = ['/sys/fs/cgroup', '/sys/fs/cgroup/memory', '/sys/fs/cgroup/pids', '/sys/fs/cgroup/cpu'];
const settleMs = 15_000;

/** What a round left behind: leases, folders of attempts, half-written objects, processes of jobs, cgroups. */
export async function findLeftovers(
  deployment: Deployment,
  client: Client,
  jobIds: string[],
): Promise<string[]> {
  // Folders are removed after the end is told: they have a while.
  for (const end = Date.now() + settleMs; ; ) {
    const left = [
      ...(await leases(client)),
      ...folders(deployment),
      ...processes(jobIds),
      ...cgroups(jobIds),
    ];
    if (left.length === 0 || Date.now() > end) return left;
    await sleep(200);
  }
}

async function leases(client: Client): Promise<string[]> {
  const { items } = await patiently(client, machineRoutes.workers, {});
  return items.flatMap((worker) => worker.jobs.map((job) => `${worker.name} still holds ${job}`));
}

function folders(deployment: Deployment): string[] {
  const left = deployment.attemptFolders.flatMap((dir) =>
    list(dir).map((name) => `the folder ${path.join(dir, name)}`),
  );
  // An api that is killed in the middle of an upload leaves a piece, which a later start removes after an hour.
  const pieces = list(path.join(deployment.storeFolder, 'partial')).filter((name) => name !== 'check');
  return deployment.killedApi ? left : [...left, ...pieces.map((name) => `the half-written object ${name}`)];
}

const processes = (jobIds: string[]): string[] =>
  jobIds.flatMap((id) => carrying(`MYCLOUD_EXECUTION=${id}.`).map((pid) => `process ${pid} of job ${id}`));

const cgroups = (jobIds: string[]): string[] =>
  cgroupRoots.flatMap((root) =>
    list(root)
      .filter((name) => jobIds.some((id) => name.includes(id)))
      .map((name) => `the cgroup ${root}/${name}`),
  );

/** After the end of everything: processes and mounts that name the round's folder. */
export function findRemains(base: string): string[] {
  const mounts = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .filter((line) => line.includes(base))
    .map((line) => `the mount ${line}`);
  const pids = carrying(base).map((pid) => `process ${pid}`);
  return [...mounts, ...pids];
}

function list(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
