import { z } from 'zod';
import {
  idSchema,
  numberParam,
  pageOf,
  pageQuery,
  projectParams,
  revisionSchema,
  timeSchema,
} from './common.js';
import { createJobBody, editJobBody, jobModes, restartJobBody, tagSchema } from './job-settings.js';
import { nameSchema } from './names.js';
import { jobStatuses, reasonNames } from './reasons.js';
import { defineRoute } from './route.js';

export const jobParams = projectParams.extend({ number: numberParam });

/** How a list of jobs can be sorted: by when they were made, by how long they ran, by the last value of a metric. */
export const jobSortSchema = z
  .string()
  .max(220)
  .regex(/^(made|duration|metric:[^\0]+)$/, 'sort by `made`, `duration` or `metric:NAME`');
/** By anything but `made`, so many of the newest jobs that match are sorted; older ones are left out. */
export const sortedJobs = 10_000;

export const mountSchema = z.object({ name: z.string(), source: z.string(), snapshotId: idSchema });

export const jobSchema = z.object({
  id: idSchema,
  /** lab/projects/dogsvscats/12 */
  name: z.string(),
  owner: nameSchema,
  project: nameSchema,
  number: z.number().int().positive(),
  status: z.enum(jobStatuses),
  reason: z.enum(reasonNames).nullable(),
  /** Why it ended, or why it waits, in a sentence; null while it runs. */
  message: z.string().nullable(),
  mode: z.enum(jobModes),
  command: z.string(),
  description: z.string(),
  tags: z.array(z.string()),
  /** What people wrote about it, plain text. */
  note: z.string(),
  machine: z.string(),
  environment: z.string(),
  /** Names of its own environment variables; their values may be secrets, and only the worker gets them. */
  envNames: z.array(z.string()),
  tensorboard: z.boolean(),
  maxRuntimeSeconds: z.number().int().nullable(),
  retries: z.number().int(),
  /** Of a Jupyter; null: it never ends for being idle. */
  idleSeconds: z.number().int().nullable(),
  mounts: z.array(mountSchema),
  codeSnapshotId: idSchema.nullable(),
  outputSnapshotId: idSchema.nullable(),
  /** Number of the current or last attempt; 0 before the first. */
  attempt: z.number().int().nonnegative(),
  exitCode: z.number().int().nullable(),
  worker: z.string().nullable(),
  /** Name of the schedule that submitted it; null: a person did, or the schedule is gone. */
  schedule: z.string().nullable(),
  createdAt: timeSchema,
  startedAt: timeSchema.nullable(),
  finishedAt: timeSchema.nullable(),
  /** Last value of each metric of the job's own (system metrics left out). */
  metrics: z.record(z.string(), z.number()),
  revision: revisionSchema,
});
export type Job = z.infer<typeof jobSchema>;

export const eventSchema = z.object({
  time: timeSchema,
  attempt: z.number().int().nonnegative(),
  type: z.string(),
  reason: z.enum(reasonNames).nullable(),
  message: z.string(),
});
export type JobEvent = z.infer<typeof eventSchema>;

/** `waiting`: it doesn't run yet; `starting`: it runs, and nothing answers yet; `ended`: there is nothing to open any more. */
const linkStates = ['waiting', 'starting', 'ready', 'ended'] as const;
export type LinkState = (typeof linkStates)[number];

const tag = 'jobs';
const base = '/v1/projects/:owner/:project/jobs';
export const jobRoutes = {
  /** Send `Idempotency-Key` to make a repeated call harmless. */
  create: defineRoute({
    method: 'POST',
    path: base,
    audit: 'submit job',
    auditShows: ['machine', 'environment', 'mode'],
    auth: 'user',
    tag,
    summary: 'Submits a job',
    errors: ['conflict'],
    example: {
      params: { owner: 'lab', project: 'dogsvscats' },
      body: {
        command: 'train --epochs 30 --logdir /output/Graph',
        machine: 'gpu',
        tensorboard: true,
        tags: ['first'],
      },
    },
    status: 201,
    params: projectParams,
    body: createJobBody,
    response: jobSchema,
  }),
  list: defineRoute({
    method: 'GET',
    path: '/v1/jobs',
    auth: 'user',
    tag,
    summary: 'Jobs you may see, newest first unless sorted otherwise',
    example: { query: { project: 'dogsvscats', status: 'succeeded', limit: 10 } },
    query: pageQuery.extend({
      owner: nameSchema.optional(),
      project: nameSchema.optional(),
      status: z.enum(jobStatuses).optional(),
      /** Part of a command, a description, a tag or a job's name. */
      text: z.string().max(200).optional(),
      tag: tagSchema.optional(),
      /** Only jobs of a lower number. */
      before: z.coerce.number().int().positive().optional(),
      sort: jobSortSchema.default('made'),
      order: z.enum(['desc', 'asc']).default('desc'),
    }),
    response: pageOf(jobSchema).extend({
      /** More jobs match than can be sorted that way: only the newest of them are listed. */
      cut: z.boolean(),
    }),
  }),
  /**
   * Events: `jobs` (data: {items: Job[]}, those that changed or were made, at most twice a second), `metrics` (data: {names}, of
   * the jobs that have new points), `gone` (data: {ids}, of deleted jobs), `missed` (more happened than could be sent). No ids: who was away, or missed some, reads again.
   */
  stream: defineRoute({
    method: 'GET',
    path: '/v1/jobs/stream',
    auth: 'user',
    tag,
    summary: 'Follows the jobs you may see by server-sent events',
    raw: { response: 'text/event-stream' },
  }),
  get: defineRoute({
    method: 'GET',
    path: `${base}/:number`,
    auth: 'user',
    tag,
    summary: 'One job',
    example: { params: { owner: 'lab', project: 'dogsvscats', number: 1 } },
    params: jobParams,
    response: jobSchema,
  }),
  update: defineRoute({
    method: 'PATCH',
    path: `${base}/:number`,
    audit: 'edit job',
    auditShows: ['tags'],
    auth: 'user',
    tag,
    summary: 'Changes description, tags or note; with `If-Match: "REVISION"` only what you have seen',
    errors: ['changed_meanwhile'],
    example: {
      params: { owner: 'lab', project: 'dogsvscats', number: 1 },
      body: { note: 'the one to beat', tags: ['best'] },
    },
    params: jobParams,
    body: editJobBody,
    response: jobSchema,
  }),
  /** Send `Idempotency-Key` to make a repeated call harmless. */
  restart: defineRoute({
    method: 'POST',
    path: `${base}/:number/restart`,
    audit: 'restart job',
    auditShows: ['machine', 'environment', 'mode'],
    auth: 'user',
    tag,
    summary: 'Submits a new job with the same code, changed where you say so',
    errors: ['conflict'],
    example: {
      params: { owner: 'lab', project: 'dogsvscats', number: 1 },
      body: { command: 'train --epochs 60 --lr 0.0003', tags: ['longer'] },
    },
    status: 201,
    params: jobParams,
    body: restartJobBody,
    response: jobSchema,
  }),
  stop: defineRoute({
    method: 'POST',
    path: `${base}/:number/stop`,
    audit: 'stop job',
    auth: 'user',
    tag,
    summary: 'Stops a job; its output is kept',
    example: { params: { owner: 'lab', project: 'dogsvscats', number: 1 } },
    params: jobParams,
    response: jobSchema,
  }),
  delete: defineRoute({
    method: 'DELETE',
    path: `${base}/:number`,
    audit: 'delete job',
    auth: 'user',
    tag,
    summary: 'Deletes an ended job with its logs and output',
    errors: ['conflict'],
    params: jobParams,
  }),
  events: defineRoute({
    method: 'GET',
    path: `${base}/:number/events`,
    auth: 'user',
    tag,
    summary: 'The steps of its life',
    example: { params: { owner: 'lab', project: 'dogsvscats', number: 1 } },
    params: jobParams,
    response: z.object({ items: z.array(eventSchema) }),
  }),
  link: defineRoute({
    method: 'GET',
    path: `${base}/:number/link`,
    audit: 'open link to job',
    auth: 'user',
    tag,
    summary: 'Where the Jupyter or the server of a job is reached, and whether it answers yet',
    params: jobParams,
    response: z.object({
      state: z.enum(linkStates),
      /** What a person should know while it isn't ready. */
      message: z.string().nullable(),
      /** Its address below this server's, good for a day and for whoever has it; null when it has ended. */
      path: z.string().nullable(),
    }),
  }),
};
