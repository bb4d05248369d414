import { z } from 'zod';
import { idSchema, timeSchema } from './common.js';
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
 * What a command finds. `requirements`: pip lines of a Python environment. `npm`: packages of a Node environment, there
 * tfjs-node, whose binding is built against the TensorFlow of `requirements` where its own download can't be had.
 * `image`: the container image it is where Docker runs; without an interpreter it runs nowhere else.
 */
export const environmentSchema = z.object({
  name: z.string(),
  description: z.string(),
  interpreter: z.enum(['node', 'python']).optional(),
  requirements: z.array(z.string()),
  npm: z.array(z.string()).optional(),
  image: z.string().optional(),
});
export type Environment = z.infer<typeof environmentSchema>;

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
  /** Names of the jobs it runs. */
  jobs: z.array(z.string()),
});
export type WorkerInfo = z.infer<typeof workerSchema>;

export const machineRoutes = {
  machines: defineRoute({
    method: 'GET',
    path: '/v1/machines',
    auth: 'user',
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
    response: z.object({ items: z.array(environmentSchema) }),
  }),
  workers: defineRoute({
    method: 'GET',
    path: '/v1/workers',
    auth: 'user',
    tag: 'workers',
    summary: 'The workers, what they offer and run',
    response: z.object({ items: z.array(workerSchema) }),
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
