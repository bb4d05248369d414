import { z } from 'zod';
import { bytesSchema, idSchema, timeSchema } from './common.js';
import { nameSchema } from './names.js';
import { defineRoute } from './route.js';

/** A machine type of the server's catalogue. */
export const machineSchema = z.object({
  name: z.string(),
  cores: z.number().positive(),
  memoryBytes: z.number().int().positive(),
  gpus: z.number().int().nonnegative(),
});
export type Machine = z.infer<typeof machineSchema>;

/** `--env image:NAME`: any container image, without an entry in the catalogue. */
export const imagePrefix = 'image:';

/**
 * What a command finds. `python`: an interpreter of the workers, such as a conda environment's, used as it is, with
 * `requirements` on top of what it has; `pythonVersions`: those that have what `requirements` name, the best first.
 * `requirements`: pip lines of a Python environment. `npm`: packages of a Node environment, there
 * tfjs-node, whose binding is built against the TensorFlow of `requirements` where its own download can't be had.
 * `image`: the container image it is where Docker runs; without an interpreter it runs nowhere else.
 */
export const environmentSchema = z.object({
  name: z.string(),
  description: z.string(),
  interpreter: z.enum(['node', 'python']).optional(),
  python: z
    .string()
    .regex(/^\//, 'the absolute path of an interpreter, such as /opt/conda/envs/lab/bin/python')
    .optional(),
  pythonVersions: z.array(z.string().regex(/^3\.\d+$/, 'a version such as 3.11')).optional(),
  requirements: z.array(z.string()),
  npm: z.array(z.string()).optional(),
  image: z.string().optional(),
});
export type Environment = z.infer<typeof environmentSchema>;

/** An environment, or a layer of one, that lies ready on a worker. */
export const builtEnvironmentSchema = z.object({
  /** Names its content. */
  id: z.string().max(100),
  /** Of the environment it was built for. */
  environment: z.string().max(300),
  packages: z.array(z.string()),
  bytes: bytesSchema,
  builtAt: timeSchema,
  usedAt: timeSchema,
  /** By a running job, or another program. */
  inUse: z.boolean(),
});
export type BuiltEnvironment = z.infer<typeof builtEnvironmentSchema>;

/** The same as the api tells it: without the packages, which may be named in somebody's private code. */
export const builtOnSchema = builtEnvironmentSchema.omit({ packages: true }).extend({
  worker: z.string(),
  /** The worker is here. */
  alive: z.boolean(),
  /** With packages that a job's code asked for. */
  extended: z.boolean(),
});
export type BuiltOn = z.infer<typeof builtOnSchema>;

/** What of a worker's computer is in use, by whatever runs there. */
export const workerUseSchema = z.object({
  /** Of all its cores, 0 to 100. */
  cpuPercent: z.number().min(0),
  memoryBytes: bytesSchema,
  gpus: z
    .array(
      z.object({
        index: z.string().max(20),
        name: z.string().max(200),
        percent: z.number().min(0).max(100),
        memoryUsedBytes: bytesSchema,
        memoryBytes: bytesSchema,
      }),
    )
    .max(64),
});
export type WorkerUse = z.infer<typeof workerUseSchema>;

export const workerSchema = z.object({
  id: idSchema,
  name: z.string(),
  machines: z.array(z.string()),
  runner: z.string(),
  cores: z.number(),
  memoryBytes: z.number().int(),
  gpus: z.number().int(),
  /** Of these, what something other than its jobs computes on. */
  foreignGpus: z.number().int(),
  /** What holds jobs to memory, CPU and processes there, in a sentence. */
  limits: z.string(),
  /** It runs environments that are container images. */
  images: z.boolean(),
  version: z.string(),
  alive: z.boolean(),
  lastSeenAt: timeSchema,
  /** It finishes what it has and takes nothing new. */
  draining: z.boolean(),
  /** As of its last heartbeat; null before the first. */
  use: workerUseSchema.nullable(),
  /** Names of the jobs it runs that you may see. */
  jobs: z.array(z.string()),
  /** How many more it runs. */
  otherJobs: z.number().int().nonnegative(),
});
export type WorkerInfo = z.infer<typeof workerSchema>;

/** A queued job with its place in the line of its machine. */
export const queuedJobSchema = z.object({
  id: idSchema,
  /** lab/projects/dogsvscats/12 */
  name: z.string(),
  owner: nameSchema,
  machine: z.string(),
  /** 1: the next. Jobs you may not see count too. */
  place: z.number().int().positive(),
  /** What it waits for, in a sentence. */
  reason: z.string(),
  queuedAt: timeSchema,
});
export type QueuedJob = z.infer<typeof queuedJobSchema>;

export const machineRoutes = {
  machines: defineRoute({
    method: 'GET',
    path: '/v1/machines',
    auth: 'user_or_worker',
    tag: 'machines',
    summary: 'The machine types one may ask for',
    response: z.object({ items: z.array(machineSchema.extend({ workers: z.number().int() })) }),
  }),
  environments: defineRoute({
    method: 'GET',
    path: '/v1/environments',
    auth: 'user_or_worker',
    tag: 'environments',
    summary: 'The environments one may ask for',
    response: z.object({
      items: z.array(environmentSchema.extend({ built: z.array(builtOnSchema) })),
      /** Built for what the catalogue doesn't have any more. */
      others: z.array(builtOnSchema),
    }),
  }),
  deleteEnvironment: defineRoute({
    method: 'DELETE',
    path: '/v1/environments/:name',
    audit: 'delete built environment',
    auth: 'admin',
    tag: 'environments',
    summary: 'Has workers remove what they built of an environment; what is in use stays',
    params: z.object({ name: z.string().min(1).max(300) }),
    query: z.object({ worker: z.string().max(100).optional() }),
    response: z.object({ items: z.array(builtOnSchema) }),
  }),
  workers: defineRoute({
    method: 'GET',
    path: '/v1/workers',
    auth: 'user',
    tag: 'workers',
    summary: 'The workers, what they offer and run',
    response: z.object({ items: z.array(workerSchema) }),
  }),
  queue: defineRoute({
    method: 'GET',
    path: '/v1/queue',
    auth: 'user',
    tag: 'workers',
    summary:
      'The queued jobs you may see, by machine in the order they are taken, with the reason why each waits',
    query: z.object({ limit: z.coerce.number().int().min(1).max(2000).default(500) }),
    /** total: of all that wait, yours or not. */
    response: z.object({ items: z.array(queuedJobSchema), total: z.number().int().nonnegative() }),
  }),
  drain: defineRoute({
    method: 'PATCH',
    path: '/v1/workers/:id',
    audit: 'drain worker',
    auditShows: ['draining'],
    auth: 'admin',
    tag: 'workers',
    summary: 'Lets a worker finish what it has and take nothing new, or takes that back',
    params: z.object({ id: idSchema }),
    body: z.object({ draining: z.boolean() }),
    response: workerSchema,
  }),
  removeWorker: defineRoute({
    method: 'DELETE',
    path: '/v1/workers/:id',
    audit: 'remove worker',
    auth: 'admin',
    tag: 'workers',
    errors: ['conflict'],
    summary: 'Takes a worker away: its calls are refused, and its token too where no other worker has it',
    params: z.object({ id: idSchema }),
    query: z.object({
      /** Also one that runs jobs: they are tried again by others. */
      force: z.stringbool().default(false),
    }),
    response: z.object({
      name: z.string(),
      /** Jobs it ran, which are tried again by others. */
      jobs: z.number().int().nonnegative(),
      /** false: other workers use its token, or the server's settings name it. */
      tokenRevoked: z.boolean(),
    }),
  }),
  health: defineRoute({
    method: 'GET',
    path: '/health',
    auth: 'none',
    tag: 'health',
    summary: '200 when the server can take jobs',
    response: z.object({ status: z.literal('ok'), version: z.string() }),
  }),
};
