import { z } from 'zod';
import { idSchema } from './common.js';
import { jobParams } from './jobs.js';
import { seriesPointSchema } from './metrics.js';
import { defineRoute } from './route.js';

/** Run: the folder of the event file below /output, as TensorBoard names runs. */
const series = { run: z.string(), tag: z.string() };
const at = { step: z.number().int(), time: z.number().int() };

const imageSchema = z.object({
  ...at,
  width: z.number(),
  height: z.number(),
  /** Where its encoded bytes lie: a part of a file of the snapshot. */
  file: z.string(),
  start: z.number().int(),
  length: z.number().int(),
});

/** Buckets: from, to, how many values. */
const histogramSchema = z.object({ ...at, buckets: z.array(z.tuple([z.number(), z.number(), z.number()])) });

export const summariesSchema = z.object({
  /** The saved output they were read from; null: there is none yet. */
  snapshotId: idSchema.nullable(),
  scalars: z.array(z.object({ ...series, points: z.array(seriesPointSchema) })),
  images: z.array(z.object({ ...series, images: z.array(imageSchema) })),
  histograms: z.array(z.object({ ...series, histograms: z.array(histogramSchema) })),
  /** What could not be read, or was left out, a sentence each. */
  problems: z.array(z.string()),
});
export type Summaries = z.infer<typeof summariesSchema>;

export const summaryRoutes = {
  get: defineRoute({
    method: 'GET',
    path: '/v1/projects/:owner/:project/jobs/:number/summaries',
    auth: 'user',
    tag: 'tensorboards',
    summary: 'Scalars, images and histograms of the event files a job has saved; of many steps some',
    params: jobParams,
    response: summariesSchema,
  }),
};
