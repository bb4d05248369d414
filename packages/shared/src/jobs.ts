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
import { mountNameSchema, nameSchema } from './names.js';
import { jobStatuses, reasonNames } from './reasons.js';
import { defineRoute } from './route.js';

export const jobParams = projectParams.extend({ number: numberParam });

export const tagSchema = z
  .string()
  .trim()
  .regex(/^[^\s,\p{C}]{1,60}$/u, 'a tag is one word of at most 60 characters, without commas');
/** In the order given, each once. */
const tagsSchema = z
  .array(tagSchema)
  .max(30, 'at most 30 tags')
  .transform((tags) => [...new Set(tags)]);

const mountsSchema = z
  .array(z.object({ source: z.string().min(1).max(300), name: mountNameSchema }))
  .max(20)
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
  });
/** What a job is for: a command that ends; JupyterLab; a web server, reached through this one. */
export const jobModes = ['command', 'jupyter', 'serve'] as const;
export type JobMode = (typeof jobModes)[number];
/** Unless somebody says otherwise, a job that waits for people ends after this long, so that a forgotten one frees its machine. */
export const interactiveMaxRuntimeSeconds = 12 * 3600;
/** A Jupyter that nobody uses ends after this long. */
export const jupyterIdleSeconds = 3600;
/** The environment of a Jupyter that names none. */
export const jupyterEnvironment = 'jupyter';

const variableName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/);
const variableValue = z.string().max(32_768);

/** What is asked of a job, besides its code and its own environment variables. */
const settings = {
  mode: z.enum(jobModes),
  command: z.string().trim().min(1, 'say what to run').max(100_000),
  description: z.string().max(10_000),
  tags: tagsSchema,
  mounts: mountsSchema,
  machine: z.string().max(63),
  /** Of the catalogue, or `image:NAME`. */
  environment: z.string().max(300),
  tensorboard: z.boolean(),
  maxRuntimeSeconds: z
    .number()
    .int()
    .positive()
    .max(365 * 86_400)
    .nullable(),
  /** Further attempts after the user's own failures. */
  retries: z.number().int().min(0).max(20),
  /** Of a Jupyter: it ends after so long without a busy kernel or an open page; null: never. */
  idleSeconds: z
    .number()
    .int()
    .min(1)
    .max(365 * 86_400)
    .nullable(),
};

export const createJobBody = z.object({
  mode: settings.mode.default('command'),
  command: settings.command,
  description: settings.description.default(''),
  tags: settings.tags.default([]),
  /** Snapshot of the code; null: an empty /code. */
  codeSnapshotId: idSchema.nullable().default(null),
  mounts: settings.mounts.default([]),
  machine: settings.machine.default('cpu'),
  environment: settings.environment.default('default'),
  env: z.record(variableName, variableValue).default({}),
  tensorboard: settings.tensorboard.default(false),
  /** null: none. Not given: none for a command, 12 hours for a Jupyter or a server. */
  maxRuntimeSeconds: settings.maxRuntimeSeconds.optional(),
  retries: settings.retries.default(0),
  /** Not given: an hour. */
  idleSeconds: settings.idleSeconds.optional(),
});
export type CreateJob = z.input<typeof createJobBody>;

/** What is to be otherwise than it was; the rest stays. */
export const restartJobBody = z
  .object(settings)
  .partial()
  .extend({
    /** Own variables to set; null takes one away. The others keep their values, which are never shown. */
    env: z.record(variableName, variableValue.nullable()).optional(),
  });
export type RestartJob = z.input<typeof restartJobBody>;

const noteSchema = z.string().max(20_000);
export const editJobBody = z
  .object({ description: settings.description, tags: settings.tags, note: noteSchema })
  .partial();
export type EditJob = z.input<typeof editJobBody>;

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
