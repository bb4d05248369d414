import { z } from 'zod';
import { defineRoute } from './route.js';

/** What a server that is asked looks at, before it may get traffic. */
export const readinessChecks = ['database', 'migrations', 'store', 'queue'] as const;
export type ReadinessCheck = (typeof readinessChecks)[number];

/**
 * What one look found. `problem`: something asked for can't work; `note`: it works, but less well than it could.
 * Every problem and note says how to mend it.
 */
export const findingSchema = z.object({
  name: z.string(),
  state: z.enum(['ok', 'note', 'problem']),
  text: z.string(),
  hint: z.string().optional(),
});
export type Finding = z.infer<typeof findingSchema>;

/** For who runs the server. */
export const operatingRoutes = {
  /**
   * For a proxy before several apis: only what is this one's own. What all of them stand on, such as the queue, being away is
   * no reason to pass over any, and none could take its place.
   */
  stays: defineRoute({
    method: 'GET',
    path: '/ready/self',
    auth: 'none',
    tag: 'health',
    summary: '200 until this api begins to shut down',
    response: z.object({ status: z.literal('stays') }),
  }),
  ready: defineRoute({
    method: 'GET',
    path: '/ready',
    auth: 'none',
    tag: 'health',
    summary:
      '200 while this api may get traffic; 503 when its database, store or queue is away, and as soon as it shuts down',
    response: z.object({
      status: z.literal('ready'),
      checks: z.record(z.enum(readinessChecks), z.literal('ok')),
    }),
  }),
  /** An admin's token, or the one of MYCLOUD_METRICS_TOKEN. */
  metrics: defineRoute({
    method: 'GET',
    path: '/metrics',
    auth: 'admin',
    tag: 'health',
    summary: 'Metrics of this api and of all jobs, in the text format of Prometheus',
    raw: { response: 'text/plain' },
  }),
  checks: defineRoute({
    method: 'GET',
    path: '/v1/checks',
    auth: 'admin',
    tag: 'health',
    summary: 'Looks at all the server stands on, and says how to mend what is wrong',
    response: z.object({
      version: z.string(),
      /** The server's clock, for who compares it with their own. */
      time: z.iso.datetime(),
      findings: z.array(findingSchema),
    }),
  }),
};
