import { z } from 'zod';
import { hashSchema, idSchema } from './common.js';
import { jobModes } from './job-settings.js';
import { logLineSchema, maxLastLines, maxLineBytes, maxLinesPerBatch } from './logs.js';
import { builtEnvironmentSchema, environmentSchema, machineSchema, workerUseSchema } from './machines.js';
import { metricPointSchema } from './metrics.js';
import { reasonNames } from './reasons.js';
import { defineRoute } from './route.js';
import { attemptProof } from './snapshots.js';

/** A worker ends with it (EX_NOPERM of sysexits.h) when the server won't have it: to be started again would not help. */
export const refusedExitCode = 77;

/** What a ticket carries, and nothing else: a wake-up. */
export const ticketSchema = z.object({ jobId: idSchema, attempt: z.number().int().positive() });
export type Ticket = z.infer<typeof ticketSchema>;
/** The queue's name for a machine type's tickets. */
export const ticketQueue = (machine: string): string => `tickets-${machine}`;

/** What a worker needs to run one attempt. */
export const assignmentSchema = z.object({
  jobId: idSchema,
  name: z.string(),
  owner: z.string(),
  attempt: z.number().int().positive(),
  fence: z.number().int().positive(),
  leaseSeconds: z.number().positive(),
  mode: z.enum(jobModes).default('command'),
  command: z.string(),
  env: z.record(z.string(), z.string()),
  machine: machineSchema,
  environment: environmentSchema,
  mounts: z.array(z.object({ name: z.string(), snapshotId: idSchema, snapshot: hashSchema })),
  code: z.object({ snapshotId: idSchema, snapshot: hashSchema }).nullable(),
  /** Last synced output of an earlier attempt, to be restored into /output. */
  restore: z.object({ snapshotId: idSchema, snapshot: hashSchema }).nullable(),
  tensorboard: z.boolean(),
  maxRuntimeSeconds: z.number().int().positive().nullable(),
  /** Of a Jupyter: it ends after so long without use. */
  idleSeconds: z.number().int().positive().nullable().default(null),
  /** Of a Jupyter: it lets in who sends this. */
  jupyterToken: z.string().nullable().default(null),
  /** W3C trace context that its spans belong to. */
  traceparent: z.string().nullable().default(null),
  /** Said in the first log line, such as that --gpu runs on the CPU here. */
  notes: z.array(z.string()),
});
export type Assignment = z.infer<typeof assignmentSchema>;

/**
 * An api waits for this worker to open a WebSocket, to `exec` a command in a job or to reach its `port`. The worker dials, since it
 * may be where nobody can call it, at the server's address as it knows it; any api hands it on to the one that waits.
 */
export const dialSchema = z.object({
  jobId: idSchema,
  attempt: z.number().int().positive(),
  to: z.enum(['exec', 'port']),
  /** Secret, and good once. */
  tunnelId: z.string().max(100),
});
export type Dial = z.infer<typeof dialSchema>;

/** `not_listening`: nothing listens on the job's port (yet); `not_running`: the job doesn't run here, or not any more. */
export const tunnelRefusals = ['not_listening', 'not_running', 'failed'] as const;
export type TunnelRefusal = (typeof tunnelRefusals)[number];

/** Order of the api to a worker, on the command stream and in answers to renewals. */
export const workerCommandSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('stop'),
    jobId: idSchema,
    attempt: z.number().int(),
    reason: z.enum(reasonNames),
    detail: z.string(),
  }),
  z.object({ type: z.literal('wake') }),
  dialSchema.extend({ type: z.literal('dial') }),
  /** Unless it is in use there. */
  z.object({ type: z.literal('remove_environment'), id: z.string() }),
]);
export type WorkerCommand = z.infer<typeof workerCommandSchema>;

/** A line as a worker sends it; its number follows from firstSeq. */
export const sentLineSchema = logLineSchema
  .pick({ time: true, source: true, more: true })
  .extend({ text: z.string().max(maxLineBytes) });
export type SentLine = z.infer<typeof sentLineSchema>;

const tag = 'worker protocol';
const byJob = z.object({ jobId: idSchema });
const byTunnel = z.object({ tunnelId: z.string().max(100) });
const proof = attemptProof.omit({ jobId: true });
export const workerRoutes = {
  register: defineRoute({
    method: 'POST',
    path: '/v1/worker/register',
    audit: 'register worker',
    auth: 'worker',
    tag,
    summary: 'A worker says what it offers; the same name takes up the same worker again',
    errors: ['conflict'],
    body: z.object({
      name: z.string().min(1).max(100),
      /** Of its release; one too far from the server's is refused. */
      version: z.string().max(50),
      runner: z.string().max(30),
      machines: z.array(z.string().max(63)).min(1),
      cores: z.number().positive(),
      memoryBytes: z.number().int().positive(),
      gpus: z.number().int().nonnegative(),
      /** What holds jobs to memory, CPU and processes there, in a sentence. */
      limits: z.string().max(200).default(''),
      /** It runs environments that are container images. */
      images: z.boolean().default(false),
    }),
    response: z.object({
      workerId: idSchema,
      leaseSeconds: z.number().positive(),
      machines: z.array(machineSchema),
    }),
  }),
  /** Renews the leases of all attempts it runs. One refused has lost its lease: its execution must end. */
  heartbeat: defineRoute({
    method: 'POST',
    path: '/v1/worker/heartbeat',
    auth: 'worker',
    tag,
    summary: 'Renews leases; answers which are refused and what is to be stopped',
    errors: ['not_found'],
    body: z.object({
      workerId: idSchema,
      attempts: z.array(attemptProof).max(1000),
      use: workerUseSchema.optional(),
      /** GPUs of this worker that something other than its jobs computes on. */
      foreignGpus: z.number().int().nonnegative().default(0),
      /** What is built there; absent: as it was told last. */
      environments: z.array(builtEnvironmentSchema).max(500).optional(),
    }),
    response: z.object({ refused: z.array(attemptProof), commands: z.array(workerCommandSchema) }),
  }),
  /** With a ticket: that job, if it is still to be had. Without: the next in line for these machines, waiting up to waitSeconds. */
  claim: defineRoute({
    method: 'POST',
    path: '/v1/worker/claim',
    auth: 'worker',
    tag,
    summary: 'Takes a job under a lease',
    errors: ['not_found'],
    body: z.object({
      workerId: idSchema,
      ticket: ticketSchema.optional(),
      machines: z.array(z.string()).min(1),
      waitSeconds: z.number().min(0).max(30).default(0),
    }),
    response: z.object({ assignment: assignmentSchema.nullable() }),
  }),
  status: defineRoute({
    method: 'POST',
    path: '/v1/worker/jobs/:jobId/status',
    auth: 'worker',
    tag,
    summary: 'preparing → running → saving',
    errors: ['stale_fence'],
    params: byJob,
    body: proof.extend({ status: z.enum(['running', 'saving']) }),
  }),
  logs: defineRoute({
    method: 'POST',
    path: '/v1/worker/jobs/:jobId/logs',
    auth: 'worker',
    tag,
    summary: 'Appends log lines: a batch is stored once, a gap is refused',
    errors: ['stale_fence', 'log_gap'],
    params: byJob,
    body: proof.extend({
      firstSeq: z.number().int().positive(),
      lines: z.array(sentLineSchema).max(maxLinesPerBatch),
      /** The line being drawn (a progress bar), shown to followers and not stored. */
      progress: z.string().max(maxLineBytes).optional(),
    }),
    response: z.object({ lastSeq: z.number().int().nonnegative() }),
  }),
  metrics: defineRoute({
    method: 'POST',
    path: '/v1/worker/jobs/:jobId/metrics',
    auth: 'worker',
    tag,
    summary: 'Appends metric points; a batch with the same batchId is stored once',
    errors: ['stale_fence'],
    params: byJob,
    body: proof.extend({ batchId: idSchema, points: z.array(metricPointSchema).max(10_000) }),
  }),
  /** A synced state of /output while the job runs, restored for a later attempt. */
  output: defineRoute({
    method: 'POST',
    path: '/v1/worker/jobs/:jobId/output',
    auth: 'worker',
    tag,
    summary: 'Names the newest saved output',
    errors: ['stale_fence'],
    params: byJob,
    body: proof.extend({ snapshotId: idSchema }),
  }),
  event: defineRoute({
    method: 'POST',
    path: '/v1/worker/jobs/:jobId/events',
    auth: 'worker',
    tag,
    summary: 'Notes something that happened to a running job, among the steps of its life',
    errors: ['stale_fence'],
    params: byJob,
    body: proof.extend({ type: z.enum(['warning', 'waiting']), message: z.string().min(1).max(1000) }),
  }),
  finish: defineRoute({
    method: 'POST',
    path: '/v1/worker/jobs/:jobId/finish',
    auth: 'worker',
    tag,
    summary: 'Ends the attempt',
    errors: ['stale_fence', 'log_gap'],
    params: byJob,
    body: proof.extend({
      reason: z.enum(reasonNames),
      detail: z.string().max(10_000),
      exitCode: z.number().int().nullable(),
      outputSnapshotId: idSchema.nullable(),
      lastSeq: z.number().int().nonnegative(),
      /** When its command began, milliseconds since 1970: a short job may end before that was told. */
      startedAt: z.number().int().nullable().default(null),
      /** Its last lines, stored with its end, as `logs` would: the number of the first, and a few of them. */
      firstSeq: z.number().int().positive().default(1),
      lines: z.array(sentLineSchema).max(maxLastLines).default([]),
    }),
  }),
  /** Messages: data is a WorkerCommand. Comments keep it alive each 10 s. */
  commands: defineRoute({
    method: 'GET',
    path: '/v1/worker/commands',
    auth: 'worker',
    tag,
    summary: 'Commands to this worker by server-sent events',
    query: z.object({ workerId: idSchema }),
    raw: { response: 'text/event-stream' },
  }),
  /** Binary messages are the bytes of one connection to the port; for `exec` as exec.ts says. */
  tunnel: defineRoute({
    method: 'GET',
    path: '/v1/worker/tunnels/:tunnelId',
    auth: 'worker',
    tag,
    summary: 'Opens the WebSocket that this api asked for',
    params: byTunnel,
    raw: { response: 'websocket' },
  }),
  refuseTunnel: defineRoute({
    method: 'POST',
    path: '/v1/worker/tunnels/:tunnelId/refuse',
    auth: 'worker',
    tag,
    summary: 'Says why the WebSocket that this api asked for is not opened',
    params: byTunnel,
    body: z.object({ why: z.enum(tunnelRefusals), detail: z.string().max(1000) }),
  }),
};
