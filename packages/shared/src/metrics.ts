import { z } from 'zod';
import { momentSchema, timeSchema } from './common.js';
import { jobParams } from './jobs.js';
import { defineRoute } from './route.js';

/** One value of one series. Metrics of the machine are named `system/…` (percent, bytes). */
export const metricPointSchema = z.object({
  name: z.string().min(1).max(200),
  /** Epoch or training step as the job names it; null where it names none. */
  step: z.number().int().nullable(),
  /** NaN and infinities travel as null. */
  value: z.number().nullable(),
  /** Milliseconds since 1970. */
  time: momentSchema,
});
export type MetricPoint = z.infer<typeof metricPointSchema>;

/** A point, or the last one of a bucket of them: `min` and `max` are then the bucket's. */
export const seriesPointSchema = metricPointSchema.omit({ name: true }).extend({
  min: z.number().nullable().optional(),
  max: z.number().nullable().optional(),
});
export type SeriesPoint = z.infer<typeof seriesPointSchema>;

const tag = 'metrics';
const base = '/v1/projects/:owner/:project/jobs/:number/metrics';
export const metricRoutes = {
  list: defineRoute({
    method: 'GET',
    path: base,
    auth: 'user',
    tag,
    summary: 'Names of its series with their last value',
    example: { params: { owner: 'lab', project: 'dogsvscats', number: 1 }, query: { extremes: 'true' } },
    params: jobParams,
    query: z.object({
      /** Also the least and greatest value of each, for which all its points are read. */
      extremes: z.stringbool().default(false),
    }),
    response: z.object({
      items: z.array(
        z.object({
          name: z.string(),
          last: z.number().nullable(),
          lastStep: z.number().int().nullable(),
          min: z.number().nullable().optional(),
          max: z.number().nullable().optional(),
          updatedAt: timeSchema,
        }),
      ),
    }),
  }),
  series: defineRoute({
    method: 'GET',
    path: `${base}/series`,
    auth: 'user',
    tag,
    summary: 'Points of one series of the last attempt that has it, in order of time',
    example: { params: { owner: 'lab', project: 'dogsvscats', number: 1 }, query: { name: 'val_acc' } },
    params: jobParams,
    query: z.object({
      name: z.string().min(1).max(200),
      limit: z.coerce.number().int().min(1).max(100_000).default(10_000),
    }),
    response: z.object({ points: z.array(metricPointSchema) }),
  }),
  /** A spike stays visible however many points there are: each bucket says its least, greatest and last value. */
  buckets: defineRoute({
    method: 'GET',
    path: `${base}/buckets`,
    auth: 'user',
    tag,
    summary: 'One series drawn together to so many buckets along an axis; few points come as they are',
    params: jobParams,
    query: z.object({
      name: z.string().min(1).max(200),
      axis: z.enum(['step', 'time']).default('time'),
      buckets: z.coerce.number().int().min(10).max(5000).default(500),
      /** Part of the axis: steps, or milliseconds since 1970. */
      from: z.coerce.number().optional(),
      to: z.coerce.number().optional(),
    }),
    response: z.object({
      /** All points in that part of the axis, however many are sent. */
      total: z.number().int().nonnegative(),
      points: z.array(seriesPointSchema),
    }),
  }),
};
