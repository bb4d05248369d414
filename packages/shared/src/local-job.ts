import { z } from 'zod';
import { environmentSchema } from './machines.js';
import { mountNameSchema } from './names.js';

/** A job that runs here, without a server: what the command line tells the worker's program for it. Paths are absolute. */
export const localJobSchema = z.object({
  name: z.string(),
  command: z.string().min(1),
  env: z.record(z.string(), z.string()),
  environment: environmentSchema,
  /** Of this computer, those that are there. */
  gpus: z.number().int().nonnegative(),
  maxRuntimeSeconds: z.number().int().positive().nullable(),
  runner: z.enum(['auto', 'bubblewrap', 'process', 'docker']),
  code: z.string(),
  output: z.string(),
  mounts: z.array(z.object({ name: mountNameSchema, dir: z.string() })),
  /** Environments are kept below it from job to job. */
  home: z.string(),
});
export type LocalJob = z.infer<typeof localJobSchema>;
