/** One of our jobs, as squeue tells it. */
export interface SlurmJob {
  id: string;
  /** Long form, such as PENDING. */
  state: string;
  name: string;
  comment: string;
  /** The node it runs on; empty while it waits. */
  host: string;
  /** Of its time limit; null: it has none. */
  secondsLeft: number | null;
  /** As Slurm writes it, such as 1:00:00 or UNLIMITED. */
  timeLimit: string;
  /** Why it waits, or what became of it. */
  reason: string;
}

/** The reason comes last, since it alone may hold anything. */
export const squeueFormat = '%i|%T|%j|%k|%B|%L|%l|%r';

/** Of lines in squeueFormat. */
export function parseJobs(text: string): SlurmJob[] {
  return text.split('\n').flatMap((line) => {
    const [id, state, name, comment, host, left, timeLimit, ...reason] = line.split('|');
    if (!id || !state || name === undefined) return [];
    return {
      id,
      state,
      name,
      comment: comment ?? '',
      host: host && !/^(n\/a|\(null\))$/i.test(host) ? host : '',
      secondsLeft: parseDuration(left ?? ''),
      timeLimit: timeLimit ?? '',
      reason: reason.join('|'),
    };
  });
}

/** `[days-][hours:]minutes:seconds` in seconds; null for UNLIMITED, NOT_SET and INVALID. */
export function parseDuration(text: string): number | null {
  const found = /^(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)$/.exec(text);
  if (!found) return null;
  const [days, hours, minutes, seconds] = found.slice(1).map((part) => Number(part ?? 0));
  return (((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0);
}

/** Where a job stands in Slurm. */
export type Standing = 'waiting' | 'running' | 'over';

const waiting = new Set([
  'PENDING',
  'CONFIGURING',
  'REQUEUED',
  'REQUEUE_FED',
  'REQUEUE_HOLD',
  'SPECIAL_EXIT',
  'RESV_DEL_HOLD',
]);
const running = new Set([
  'RUNNING',
  'SUSPENDED',
  'STOPPED',
  'SIGNALING',
  'RESIZING',
  'STAGE_OUT',
  'COMPLETING',
]);

/** Every state that isn't known counts as over: of its ends Slurm has the most, and new ones come. */
export const standingOf = (state: string): Standing =>
  waiting.has(state) ? 'waiting' : running.has(state) ? 'running' : 'over';

const explained: Record<string, string> = {
  Priority: 'others are before it',
  Resources: 'it is next, and waits for room',
  Dependency: 'it waits for another job',
  QOSMaxJobsPerUserLimit: 'as many jobs of this account run as its quality of service allows',
  QOSGrpGRES: 'all GPUs that its quality of service allows are in use',
  AssocGrpGRES: 'all GPUs that its account may have are in use',
  AssocMaxJobsLimit: 'as many jobs run as its account may have',
  PartitionTimeLimit: 'it asks for more time than the partition gives',
  PartitionNodeLimit: 'the partition has no node for it',
  PartitionConfig: 'no node of the partition has what it asks for',
  PartitionDown: 'the partition is down',
  PartitionInactive: 'the partition takes no jobs now',
  JobHeldAdmin: 'an administrator holds it',
  JobHeldUser: 'it is held',
  BeginTime: 'it may not begin yet',
  Reservation: 'it waits for a reservation',
  NodeDown: 'a node it needs is down',
  ReqNodeNotAvail: 'the nodes for it are down, drained or reserved',
};

/** Why it waits, in a sentence: Slurm's own word first, since that is what its documentation has. */
export function waitText({ id, state, reason }: SlurmJob): string {
  const word = state === 'CONFIGURING' ? 'its node is being started' : reason;
  const more = explained[reason.split(/[,\s]/)[0] ?? ''];
  const why = word && word !== 'None' ? word : 'not looked at yet';
  return `waits in Slurm as its job ${id}: ${why}${more ? ` (${more})` : ''}`;
}
