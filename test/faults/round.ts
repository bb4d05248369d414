import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os, { availableParallelism, loadavg } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, type Job, jobRoutes, projectRoutes } from '@mycloud/shared';
import { uploadFolder } from '@mycloud/snapshots';
import { carryOut, describeFault, drawFaults, type Fault, leaseSeconds, mayCostLease } from './adversary.js';
import { auditJob, type JobAudit, type Submitted } from './audit.js';
import type { Deployment, Shape } from './deployment.js';
import { Follower } from './followers.js';
import { minio, redisServer } from './installed.js';
import { findLeftovers, findRemains } from './leftovers.js';
import { patiently } from './patient.js';
import { randomFrom } from './random.js';
import { drawTasks, program, type Task } from './workload.js';

export interface Round {
  seed: number;
  shape: Shape;
  faults: Fault[];
  jobs: JobAudit[];
  reconnects: number;
  seconds: number;
  /** The machine itself had no time for this round for long: a lease may run out without any fault. */
  stalled: boolean;
  /** Empty when all is as it should be. */
  findings: string[];
}

const settleSeconds = 90;

/** Rounds with the same tens have the same shape, so that one deployment can play them one after another. */
export const seedsOfShape = 10;

export function shapeOf(seed: number): Shape {
  const random = randomFrom(Math.floor(seed / seedsOfShape) + 0x5eed);
  return {
    queue: redisServer && random.chance(0.5) ? 'redis' : 'postgres',
    store: minio && random.chance(0.3) ? 'minio' : 'directory',
    smallDisk: random.chance(0.4),
    clocks: random.chance(0.4),
  };
}

/** Gives a deployment work, lets the adversary loose on it, and audits what came of it; all of it by the seed. */
export async function playRound(
  deployment: Deployment,
  seed: number,
  tell: (text: string) => void = () => undefined,
): Promise<Round> {
  const from = Date.now();
  const random = randomFrom(seed);
  const faults = drawFaults(random, deployment.targets);
  for (const fault of faults) tell(describeFault(fault));
  const round: Round = {
    seed,
    shape: deployment.shape,
    faults,
    jobs: [],
    reconnects: 0,
    seconds: 0,
    stalled: false,
    findings: [],
  };
  try {
    await play(deployment, drawTasks(random), round);
  } catch (error) {
    round.findings.push(`the round broke off: ${(error as Error).stack}`);
  }
  round.seconds = (Date.now() - from) / 1000;
  return round;
}

/** Ends a deployment in order and removes it. @returns what should not have been found */
export async function endDeployment(deployment: Deployment): Promise<string[]> {
  const findings = (await deployment.stop()).map((name) => `${name} did not end by its signal`);
  await deployment.remove();
  return [...findings, ...findRemains(deployment.base).map((left) => `${left} is left`)];
}

async function play(deployment: Deployment, tasks: Task[], round: Round): Promise<void> {
  const { client } = deployment;
  const project = `faults-${round.seed}`;
  const { owner } = await patiently(client, projectRoutes.create, { body: { name: project } });
  const codeSnapshotId = await uploadProgram(client);
  const submitted: Submitted[] = [];
  const start = Date.now();
  const stalls = watchStalls();
  const until = (seconds: number): Promise<void> => sleep(Math.max(0, start + seconds * 1000 - Date.now()));

  const attacks = round.faults.map(async (fault) => {
    await until(fault.at);
    await carryOut(fault, deployment);
  });
  const submissions = tasks.map(async (task, i) => {
    await until(task.at);
    const body = { ...task.body, codeSnapshotId };
    const key = { 'idempotency-key': `${round.seed}-${i}` };
    const job = await patiently(client, jobRoutes.create, { params: { owner, project }, body }, key);
    submitted.push({ task, job, ...(task.followed ? { follower: new Follower(client, job) } : {}) });
    if (task.stopAfter === undefined) return;
    await sleep(task.stopAfter * 1000);
    await patiently(client, jobRoutes.stop, { params: { owner, project, number: job.number } });
  });
  await Promise.all([...attacks, ...submissions]);
  await allEnd(client, submitted);
  round.stalled =
    stalls.longestMs() > (leaseSeconds * 1000) / 10 || loadavg()[0]! > 4 * availableParallelism();
  await audit(deployment, client, submitted, round);
}

/** Measures for how long this process, which does next to nothing, was not let run. */
function watchStalls(): { longestMs(): number } {
  const everyMs = 50;
  let longest = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    longest = Math.max(longest, performance.now() - last - everyMs);
    last = performance.now();
  }, everyMs);
  return {
    longestMs() {
      clearInterval(timer);
      return longest;
    },
  };
}

async function uploadProgram(client: Client): Promise<string> {
  const dir = await mkdtemp(path.join(os.tmpdir(), 'mycloud-faults-code-'));
  try {
    await writeFile(path.join(dir, 'work.sh'), program);
    return (await uploadFolder({ client, dir })).snapshotId;
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Waits for the end of all jobs and of those who follow them, but not for ever: the audit names what is left. */
async function allEnd(client: Client, submitted: Submitted[]): Promise<void> {
  const end = Date.now() + settleSeconds * 1000;
  for (const { job } of submitted) {
    const params = { owner: job.owner, project: job.project, number: job.number };
    while (Date.now() < end) {
      if ((await patiently(client, jobRoutes.get, { params })).finishedAt) break;
      await sleep(200);
    }
  }
  const followers = submitted.flatMap(({ follower }) => follower ?? []);
  const late = new AbortController();
  const told = Promise.all(followers.map((follower) => follower.done));
  await Promise.race([told, sleep(20_000, undefined, { signal: late.signal })]);
  late.abort();
  for (const follower of followers) follower.leave();
}

async function audit(
  deployment: Deployment,
  client: Client,
  submitted: Submitted[],
  round: Round,
): Promise<void> {
  const leave = {
    lostLeases: round.stalled || round.faults.some(mayCostLease),
    fullDisk: round.faults.some((fault) => fault.act === 'fill'),
  };
  for (const one of submitted) {
    const audited = await auditJob(client, one, leave);
    round.jobs.push(audited);
    round.findings.push(...audited.findings);
    round.reconnects += one.follower?.reconnects ?? 0;
  }
  const { items } = await patiently(client, jobRoutes.list, {
    query: { project: `faults-${round.seed}`, limit: 100 },
  });
  const ids = (jobs: Job[]): string =>
    jobs
      .map((job) => job.id)
      .sort()
      .join();
  if (ids(items) !== ids(submitted.map(({ job }) => job))) {
    round.findings.push(`${items.length} jobs are there where ${submitted.length} were submitted`);
  }
  round.findings.push(
    ...(await findLeftovers(
      deployment,
      client,
      items.map((job) => job.id),
    )),
  );
  // What a service says by ending while what it stands on is away is its right, but not to break.
  for (const program of deployment.programs) {
    const broken = /^(?:\w*Error\b|.*\bunhandled|.*"level":60).*$/im.exec(program.saidSince());
    if (broken) round.findings.push(`${program.name} said: ${broken[0].slice(0, 500)}`);
  }
}

/** What the programs of a failed round said, for whoever looks into it. */
export async function keepLogs(deployment: Deployment, seed: number): Promise<void> {
  const dir = path.join(os.tmpdir(), `mycloud-faults-seed-${seed}`);
  await rm(dir, { recursive: true, force: true });
  await cp(path.join(deployment.base, 'logs'), dir, { recursive: true });
}
