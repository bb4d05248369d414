import { z } from 'zod';
import { jobParams } from './jobs.js';
import { defineRoute } from './route.js';

/*
 * What goes over the WebSocket of `exec`. The client begins with ExecStart as text and waits for `started`. After that
 * binary messages of the client are stdin, its texts are ExecInput. Binary messages of the job begin with a byte that says which
 * stream they are of; its texts are ExecOutput, the last of which is the end.
 */

const sizeSchema = z.object({
  columns: z.number().int().min(1).max(10_000),
  rows: z.number().int().min(1).max(10_000),
});

export const execStartSchema = z.object({
  /** Program and arguments, as they are; none: an interactive shell. */
  command: z.array(z.string().max(100_000)).max(1000),
  /** Of the client's terminal; null: none, and stdin, stdout and stderr stay apart. */
  terminal: sizeSchema.extend({ name: z.string().max(100) }).nullable(),
});
export type ExecStart = z.infer<typeof execStartSchema>;

export const execInputSchema = z.discriminatedUnion('type', [
  sizeSchema.extend({ type: z.literal('resize') }),
  z.object({ type: z.literal('stdin_end') }),
]);
export type ExecInput = z.infer<typeof execInputSchema>;

export const execOutputSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('started') }),
  /** As a shell says it: 128 + n for a signal. */
  z.object({ type: z.literal('exit'), code: z.number().int() }),
  z.object({ type: z.literal('error'), message: z.string(), hint: z.string().optional() }),
]);
export type ExecOutput = z.infer<typeof execOutputSchema>;

/** First byte of what the job writes; a terminal has stdout alone. */
export const execStreams = { stdout: 1, stderr: 2 } as const;

export const execRoutes = {
  open: defineRoute({
    method: 'GET',
    path: '/v1/projects/:owner/:project/jobs/:number/exec',
    audit: 'run command in job',
    auth: 'user',
    tag: 'jobs',
    summary: 'Runs a command, or a shell, inside a running job, over a WebSocket',
    errors: ['conflict'],
    params: jobParams,
    raw: { response: 'websocket' },
  }),
};
