import { z } from 'zod';
import { defineRoute } from './route.js';

/** Most jobs one TensorBoard shows together. */
export const maxTensorboardJobs = 20;

/** Whose event files it shows: `lab/projects/cats/1,lab/projects/cats/2`, as it stands in the page's address. */
const jobsSchema = z
  .string()
  .max(4000)
  .regex(
    /^[^/,\s]+\/projects\/[^/,\s]+\/[1-9]\d{0,8}(,[^/,\s]+\/projects\/[^/,\s]+\/[1-9]\d{0,8})*$/,
    'write jobs as OWNER/projects/NAME/NUMBER, with commas between them',
  )
  .refine((text) => text.split(',').length <= maxTensorboardJobs, {
    error: `at most ${maxTensorboardJobs} jobs are shown together`,
  });

/**
 * `off`: it isn't running here, and starts when it is asked for; `ended`: it died, or had to go for others, and starts
 * again only when a person asks; `no_events`: none of the jobs has saved an event file yet; `not_installed`: the
 * server finds no TensorBoard.
 */
const tensorboardStates = ['off', 'starting', 'ready', 'ended', 'no_events', 'not_installed'] as const;

export const tensorboardSchema = z.object({
  state: z.enum(tensorboardStates),
  /** What a person should know: why it ended, what is left out; null: nothing. */
  message: z.string().nullable(),
  /** Where it is served, good for a day and for whoever has the address; null while there is nothing to serve. */
  path: z.string().nullable(),
  /** What makes one available, where that is one command. */
  command: z.string().nullable(),
});
export type Tensorboard = z.infer<typeof tensorboardSchema>;

const tag = 'tensorboards';
export const tensorboardRoutes = {
  get: defineRoute({
    method: 'GET',
    path: '/v1/tensorboards',
    auth: 'user',
    tag,
    summary: 'How the TensorBoard of these jobs is; asking keeps it running',
    errors: ['not_found'],
    query: z.object({ jobs: jobsSchema }),
    response: tensorboardSchema,
  }),
  start: defineRoute({
    method: 'POST',
    path: '/v1/tensorboards',
    audit: 'start TensorBoard',
    auth: 'user',
    tag,
    summary: 'Starts the TensorBoard of these jobs, or starts it again, and answers when it serves or can’t',
    errors: ['not_found'],
    body: z.object({ jobs: jobsSchema }),
    response: tensorboardSchema,
  }),
};
