import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import {
  type Client,
  type Job,
  type JobEvent,
  jobRoutes,
  type LogLine,
  logRoutes,
  type RouteOutput,
} from '@mycloud/shared';
import { materialize } from '@mycloud/snapshots';
import type { Follower } from './followers.js';
import { patiently } from './patient.js';
import { filesOf, type Task } from './workload.js';

/** A job of a round, with what was expected of it. */
export interface Submitted {
  task: Task;
  job: Job;
  follower?: Follower;
}

export interface JobAudit {
  status: string;
  attempts: number;
  lines: number;
  followed: number;
  bytes: number;
  /** What is not as it should be. */
  findings: string[];
}

/** What the round allows to a job. */
export interface Leave {
  /** A worker was away so long that it may have lost its leases. */
  lostLeases: boolean;
  /** A disk was full: a job that says so ended rightly. */
  fullDisk: boolean;
}

/** Proves from the outside that a job ended once and rightly, and that nothing it wrote was lost, doubled or changed. */
export async function auditJob(
  client: Client,
  { task, job, follower }: Submitted,
  leave: Leave,
): Promise<JobAudit> {
  const params = { owner: job.owner, project: job.project, number: job.number };
  const end = await patiently(client, jobRoutes.get, { params });
  const { items: events } = await patiently(client, jobRoutes.events, { params });
  const lines = await allLines(client, params);
  const findings = [
    ...checkEnd(task, end, leave),
    ...checkEvents(end, events, leave),
    ...checkLines(task, end, lines, leave),
    ...(follower ? checkFollower(follower, lines) : []),
  ];
  if (findings.length > 0) findings.push(`its life: ${events.map(tellEvent).join('; ')}`);
  const bytes = task.lines === undefined ? 0 : await checkOutput(client, task, end, lines, leave, findings);
  return {
    status: end.status,
    attempts: end.attempt,
    lines: lines.length,
    followed: follower?.lines.length ?? 0,
    bytes,
    findings: findings.map((finding) => `${end.name} (${task.kind}): ${finding}`),
  };
}

/** Every line there is, page by page. */
async function allLines(
  client: Client,
  params: { owner: string; project: string; number: number },
): Promise<LogLine[]> {
  const lines: LogLine[] = [];
  for (let after = '0.0'; ; ) {
    const page: RouteOutput<typeof logRoutes.range> = await patiently(client, logRoutes.range, {
      params,
      query: { after, limit: 10_000 },
    });
    lines.push(...page.lines);
    if (page.lines.length === 0) return lines;
    after = page.cursor;
  }
}

const tellEvent = ({ time, attempt, message }: JobEvent): string =>
  `${time.slice(17, 23)} ${attempt} ${message}`;

const endedByDisk = (job: Job, leave: Leave): boolean =>
  leave.fullDisk && (job.reason === 'disk_full' || (job.reason === 'exit_nonzero' && job.exitCode !== null));

function checkEnd(task: Task, job: Job, leave: Leave): string[] {
  if (!job.finishedAt) return [`is ${job.status} for ever`];
  if (endedByDisk(job, leave)) return [];
  // Who is stopped while nothing runs has no exit code; a job may end by itself before the stop comes.
  if (task.stopAfter !== undefined) {
    const stopped = job.status === 'stopped' && job.reason === 'stopped_by_user';
    return stopped ? [] : [`should have been stopped, and is ${job.status} by ${job.reason}`];
  }
  const right = job.status === task.status && job.reason === task.reason && job.exitCode === task.exitCode;
  return right
    ? []
    : [
        `should be ${task.status} by ${task.reason} (${task.exitCode}), and is ${job.status} by ${job.reason} (${job.exitCode}): ${job.message}`,
      ];
}

const ends = new Set(['succeeded', 'failed', 'stopped', 'timed_out']);

function checkEvents(job: Job, events: JobEvent[], leave: Leave): string[] {
  const findings: string[] = [];
  const ended = events.filter((event) => ends.has(event.type));
  if (ended.length !== 1) findings.push(`ended ${ended.length} times`);
  else if (ended[0]?.type !== job.status) findings.push(`its end is told as ${ended[0]?.type}`);
  for (let attempt = 1; attempt <= job.attempt; attempt++) {
    const own = events.filter((event) => event.attempt === attempt);
    const taken = own.filter((event) => event.type === 'preparing').length;
    // One that never reached its worker goes back to the line.
    const returned = own.filter((event) => event.type === 'queued' && event.reason === null).length;
    if (taken - returned !== 1) findings.push(`attempt ${attempt} was taken ${taken} times`);
  }
  const lost = events.filter((event) => event.reason === 'worker_lost');
  if (lost.length > 0 && !leave.lostLeases)
    findings.push(`lost an attempt though no worker was away: ${lost[0]?.message}`);
  return findings;
}

/** Numbered 1…n in each attempt; one execution to an attempt; the job's own lines in order, all of them in the last. */
function checkLines(task: Task, job: Job, lines: LogLine[], leave: Leave): string[] {
  const findings: string[] = [];
  for (let attempt = 1; attempt <= job.attempt; attempt++) {
    const own = lines.filter((line) => line.attempt === attempt);
    const wrong = own.findIndex((line, i) => line.seq !== i + 1);
    if (wrong >= 0)
      findings.push(`attempt ${attempt} has ${own[wrong]?.seq} where line ${wrong + 1} should be`);
    if (task.lines === undefined) continue;
    const printed = own
      .filter((line) => line.source === 'job')
      .map((line) => line.text)
      // What the program's tools say of a full disk is no line of its own.
      .filter((text) => !(leave.fullDisk && /No space left on device/.test(text)));
    // Bash may say how its `sleep` ended before it ends of the same signal itself.
    if (task.stopAfter !== undefined && printed.at(-1) === 'Terminated') printed.pop();
    const [first = ''] = printed;
    const run = /^begin (.*)$/.exec(first)?.[1];
    const whole = attempt === job.attempt && task.stopAfter === undefined && !endedByDisk(job, leave);
    if (run === undefined) {
      if (whole) findings.push(`attempt ${attempt} does not begin with its first line but with "${first}"`);
      continue;
    }
    const bad = printed.slice(1).findIndex((text, i) => text !== `line ${i + 1} ${run}`);
    if (bad >= 0 && !endedByDisk(job, leave))
      findings.push(
        `attempt ${attempt} printed "${printed[bad + 1]}" where line ${bad + 1} of ${run} should be`,
      );
    if (whole && printed.length !== task.lines + 1)
      findings.push(`${printed.length - 1} lines of ${task.lines} are there`);
  }
  return findings;
}

function checkFollower(follower: Follower, lines: LogLine[]): string[] {
  const text = (line: LogLine): string => `${line.attempt}.${line.seq} ${line.source} ${line.text}`;
  const stored = lines.map(text);
  const seen = follower.lines.map(text);
  const wrong = stored.findIndex((line, i) => line !== seen[i]);
  if (wrong >= 0) return [`its follower saw "${seen[wrong]}" where "${stored[wrong]}" is stored`];
  return seen.length > stored.length
    ? [`its follower saw ${seen.length - stored.length} lines too many`]
    : [];
}

/** Fetches the output and compares every byte. @returns how many bytes were compared */
async function checkOutput(
  client: Client,
  task: Task,
  job: Job,
  lines: LogLine[],
  leave: Leave,
  findings: string[],
): Promise<number> {
  const printed = lines.filter((line) => line.attempt === job.attempt && line.source === 'job').length - 1;
  const exact = job.status === task.status && job.exitCode === task.exitCode && task.stopAfter === undefined;
  const expected = filesOf(exact ? (task.lines ?? 0) : 100);
  if (!job.outputSnapshotId) {
    if (exact && expected.size > 0) findings.push('has no output');
    return 0;
  }
  const dir = await mkdtemp(path.join(os.tmpdir(), 'mycloud-faults-output-'));
  let bytes = 0;
  try {
    await materialize({ client, snapshotId: job.outputSnapshotId, dir });
    // A job that was stopped in the middle of a file leaves its beginning.
    const names = (await readdir(dir)).filter((name) => !name.startsWith('.'));
    for (const name of names) {
      const found = await readFile(path.join(dir, name), 'utf8');
      bytes += found.length;
      if (found !== expected.get(name)) findings.push(`its file ${name} has other bytes than were written`);
    }
    const least = exact ? expected.size : Math.min(10, Math.floor(Math.max(0, printed - 1) / 10));
    // Stopped while its worker was away, which knows no exit code, it has what was synced last; a full disk took what it could.
    const kept = exact || (job.status === 'stopped' && job.exitCode !== null && !leave.fullDisk);
    if (kept && names.length < least) findings.push(`${names.length} of ${least} files are in its output`);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
  return bytes;
}
