import { z } from 'zod';
import { idSchema, pageOf, pageQuery, projectParams, timeSchema } from './common.js';
import { mountNameSchema, nameSchema } from './names.js';
import { jobStatuses, reasonNames } from './reasons.js';
import { defineRoute } from './route.js';

export const jobParams = projectParams.extend({ number: z.coerce.number().int().positive() });

export const createJobBody = z.object({
  command: z.string().trim().min(1, 'say what to run').max(100_000),
  description: z.string().max(10_000).default(''),
  /** Snapshot of the code; null: an empty /code. */
  codeSnapshotId: idSchema.nullable().default(null),
  mounts: z
    .array(z.object({ source: z.string().min(1).max(300), name: mountNameSchema }))
    .max(20)
    .default([])
    .superRefine((mounts, context) => {
      const seen = new Set<string>();
      for (const [i, { name }] of mounts.entries()) {
        if (seen.has(name))
          context.addIssue({
            code: 'custom',
            path: [i, 'name'],
            message: `/${name} is mounted twice; give each mount its own name`,
          });
        seen.add(name);
      }
    }),
  machine: z.string().max(63).default('cpu'),
  /** Of the catalogue, or `image:NAME`. */
  environment: z.string().max(300).default('default'),
  env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string().max(32_768)).default({}),
  tensorboard: z.boolean().default(false),
  maxRuntimeSeconds: z
    .number()
    .int()
    .positive()
    .max(365 * 86_400)
    .nullable()
    .default(null),
  /** Further attempts after the user's own failures. */
  retries: z.number().int().min(0).max(20).default(0),
});
export type CreateJob = z.input<typeof createJobBody>;

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
  command: z.string(),
  description: z.string(),
  machine: z.string(),
  environment: z.string(),
  tensorboard: z.boolean(),
  maxRuntimeSeconds: z.number().int().nullable(),
  retries: z.number().int(),
  mounts: z.array(mountSchema),
  codeSnapshotId: idSchema.nullable(),
  outputSnapshotId: idSchema.nullable(),
  /** Number of the current or last attempt; 0 before the first. */
  attempt: z.number().int().nonnegative(),
  exitCode: z.number().int().nullable(),
  worker: z.string().nullable(),
  createdAt: timeSchema,
  startedAt: timeSchema.nullable(),
  finishedAt: timeSchema.nullable(),
  /** Last value of each metric of the job's own (system metrics left out). */
  metrics: z.record(z.string(), z.number()),
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

const tag = 'jobs';
const base = '/v1/projects/:owner/:project/jobs';
export const jobRoutes = {
  /** Send `Idempotency-Key` to make a repeated call harmless. */
  create: defineRoute({
    method: 'POST',
    path: base,
    auth: 'user',
    tag,
    summary: 'Submits a job',
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
    summary: 'Jobs you may see, newest first',
    query: pageQuery.extend({
      owner: nameSchema.optional(),
      project: nameSchema.optional(),
      status: z.enum(jobStatuses).optional(),
      /** Part of a command, a description or a job's name. */
      text: z.string().max(200).optional(),
    }),
    response: pageOf(jobSchema),
  }),
  /**
   * Events: `jobs` (data: {items: Job[]}, those that changed or were made, at most twice a second), `metrics` (data: {names}, of
   * the jobs that have new points), `missed` (more happened than could be sent). No ids: who was away, or missed some, reads again.
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
    params: jobParams,
    response: jobSchema,
  }),
  stop: defineRoute({
    method: 'POST',
    path: `${base}/:number/stop`,
    auth: 'user',
    tag,
    summary: 'Stops a job; its output is kept',
    params: jobParams,
    response: jobSchema,
  }),
  delete: defineRoute({
    method: 'DELETE',
    path: `${base}/:number`,
    auth: 'user',
    tag,
    summary: 'Deletes an ended job with its logs and output',
    params: jobParams,
  }),
  events: defineRoute({
    method: 'GET',
    path: `${base}/:number/events`,
    auth: 'user',
    tag,
    summary: 'The steps of its life',
    params: jobParams,
    response: z.object({ items: z.array(eventSchema) }),
  }),
};
