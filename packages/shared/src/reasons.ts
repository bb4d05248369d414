/** Where a job stands. The last four are ends. */
export const jobStatuses = [
  'queued',
  'preparing',
  'running',
  'saving',
  'succeeded',
  'failed',
  'stopped',
  'timed_out',
] as const;
export type JobStatus = (typeof jobStatuses)[number];
export const endStatuses = [
  'succeeded',
  'failed',
  'stopped',
  'timed_out',
] as const satisfies readonly JobStatus[];
export type EndStatus = (typeof endStatuses)[number];
export const isEnd = (status: JobStatus): status is EndStatus =>
  (endStatuses as readonly JobStatus[]).includes(status);

/**
 * Why an attempt ended.
 * retry: `never`; `system`: infrastructure's fault, tried again by itself up to 3 attempts; `user`: only with --retries.
 * sentence: shown to the person; {detail} is filled with what the worker knows.
 */
export const reasons = {
  exit_zero: { status: 'succeeded', retry: 'never', sentence: 'finished' },
  exit_nonzero: { status: 'failed', retry: 'user', sentence: 'the command exited with {detail}' },
  killed_by_signal: { status: 'failed', retry: 'user', sentence: 'the command was killed by {detail}' },
  out_of_memory: { status: 'failed', retry: 'user', sentence: 'out of memory: {detail}' },
  command_not_found: { status: 'failed', retry: 'never', sentence: 'the command was not found: {detail}' },
  max_runtime: {
    status: 'timed_out',
    retry: 'never',
    sentence: 'ran longer than its max runtime of {detail}',
  },
  gpu_idle: { status: 'stopped', retry: 'never', sentence: 'stopped: {detail}' },
  stopped_by_user: { status: 'stopped', retry: 'never', sentence: 'stopped by {detail}' },
  worker_lost: { status: 'failed', retry: 'system', sentence: 'its worker was lost: {detail}' },
  /** It ran when the backup was made, and its worker did not come back. */
  server_restored: {
    status: 'failed',
    retry: 'system',
    sentence: 'it ran when the backup was made that this server was restored from',
  },
  /** As the last of as many attempts as are allowed, each of them ended so. */
  kills_worker: {
    status: 'failed',
    retry: 'never',
    sentence: 'its worker was lost {detail} times while it ran; it may be what kills it',
  },
  node_failed: { status: 'failed', retry: 'system', sentence: "the cluster's node failed: {detail}" },
  preempted: { status: 'failed', retry: 'system', sentence: 'it had to make room for another job: {detail}' },
  cancelled_in_cluster: {
    status: 'stopped',
    retry: 'never',
    sentence: 'cancelled in the cluster, not here: {detail}',
  },
  cluster_refused: { status: 'failed', retry: 'never', sentence: 'the cluster refused it: {detail}' },
  worker_error: { status: 'failed', retry: 'system', sentence: 'the worker could not run it: {detail}' },
  input_missing: { status: 'failed', retry: 'never', sentence: 'an input could not be mounted: {detail}' },
  environment_failed: {
    status: 'failed',
    retry: 'never',
    sentence: 'its environment could not be built: {detail}',
  },
  disk_limit: { status: 'failed', retry: 'user', sentence: 'it wrote more than a job may: {detail}' },
  disk_full: { status: 'failed', retry: 'system', sentence: 'the disk is full: {detail}' },
  output_not_saved: {
    status: 'failed',
    retry: 'system',
    sentence: 'its output could not be saved: {detail}',
  },
} as const satisfies Record<
  string,
  { status: EndStatus; retry: 'never' | 'system' | 'user'; sentence: string }
>;

export type Reason = keyof typeof reasons;
export const reasonNames = Object.keys(reasons) as [Reason, ...Reason[]];

/** Attempts an infrastructure reason may use in all. */
export const maxSystemAttempts = 3;

export function reasonSentence(reason: Reason, detail: string): string {
  return reasons[reason].sentence.replace('{detail}', detail);
}
