import { z } from 'zod';
import {
  bytesSchema,
  datasetParams,
  hashSchema,
  idSchema,
  numberParam,
  pageOf,
  pageQuery,
  timeSchema,
} from './common.js';
import { nameSchema } from './names.js';
import { jobStatuses } from './reasons.js';
import { defineRoute } from './route.js';

export const versionSchema = z.object({
  id: idSchema,
  /** lab/datasets/dogsvscats/1 */
  name: z.string(),
  number: z.number().int().positive(),
  message: z.string(),
  snapshotId: idSchema,
  /** The content's name: SHA-256 of the manifest. */
  snapshot: hashSchema,
  files: z.number().int().nonnegative(),
  bytes: bytesSchema,
  /** Of its chunks, each counted once. */
  storedBytes: bytesSchema,
  createdAt: timeSchema,
});
export type Version = z.infer<typeof versionSchema>;

export const datasetSchema = z.object({
  id: idSchema,
  owner: nameSchema,
  name: nameSchema,
  description: z.string(),
  public: z.boolean(),
  latest: versionSchema.nullable(),
  createdAt: timeSchema,
});
export type Dataset = z.infer<typeof datasetSchema>;

/** A job that mounts a version. */
export const datasetUseSchema = z.object({
  id: idSchema,
  /** lab/projects/dogsvscats/12 */
  job: z.string(),
  status: z.enum(jobStatuses),
  /** Of the version mounted. */
  number: z.number().int().positive(),
  createdAt: timeSchema,
});
export type DatasetUse = z.infer<typeof datasetUseSchema>;

const tag = 'datasets';
const versionParams = datasetParams.extend({ number: numberParam });
export const datasetRoutes = {
  list: defineRoute({
    method: 'GET',
    path: '/v1/datasets',
    auth: 'user',
    tag,
    summary: 'Datasets you may see, newest first',
    query: pageQuery.extend({ owner: nameSchema.optional() }),
    response: pageOf(datasetSchema),
  }),
  create: defineRoute({
    method: 'POST',
    path: '/v1/datasets',
    audit: 'create dataset',
    auditShows: ['public'],
    auth: 'user',
    tag,
    summary: 'Makes a dataset of yours, or of a team of yours, without versions yet',
    errors: ['conflict', 'not_found'],
    example: { body: { name: 'dogsvscats' } },
    status: 201,
    body: z.object({
      /** A team; the caller himself unless said. */
      owner: nameSchema.optional(),
      name: nameSchema,
      description: z.string().max(10_000).default(''),
      public: z.boolean().default(false),
    }),
    response: datasetSchema,
  }),
  get: defineRoute({
    method: 'GET',
    path: '/v1/datasets/:owner/:dataset',
    auth: 'user',
    tag,
    summary: 'One dataset',
    params: datasetParams,
    response: datasetSchema,
  }),
  delete: defineRoute({
    method: 'DELETE',
    path: '/v1/datasets/:owner/:dataset',
    audit: 'delete dataset',
    auth: 'user',
    tag,
    summary: 'Deletes a dataset with its versions',
    errors: ['conflict'],
    params: datasetParams,
  }),
  versions: defineRoute({
    method: 'GET',
    path: '/v1/datasets/:owner/:dataset/versions',
    auth: 'user',
    tag,
    summary: 'Its versions, newest first',
    params: datasetParams,
    query: pageQuery,
    response: pageOf(versionSchema),
  }),
  addVersion: defineRoute({
    method: 'POST',
    path: '/v1/datasets/:owner/:dataset/versions',
    audit: 'add dataset version',
    auth: 'user',
    tag,
    status: 201,
    summary:
      'Makes a committed snapshot the next version (the latest one again, when its content is the same)',
    params: datasetParams,
    body: z.object({ snapshotId: idSchema, message: z.string().max(10_000).default('') }),
    response: versionSchema,
  }),
  version: defineRoute({
    method: 'GET',
    path: '/v1/datasets/:owner/:dataset/versions/:number',
    auth: 'user',
    tag,
    summary: 'One version',
    params: versionParams,
    response: versionSchema,
  }),
  uses: defineRoute({
    method: 'GET',
    path: '/v1/datasets/:owner/:dataset/uses',
    auth: 'user',
    tag,
    summary: 'Jobs you may see that mount it, newest first',
    params: datasetParams,
    query: pageQuery.extend({ number: numberParam.optional() }),
    response: pageOf(datasetUseSchema),
  }),
  deleteVersion: defineRoute({
    method: 'DELETE',
    path: '/v1/datasets/:owner/:dataset/versions/:number',
    audit: 'delete dataset version',
    auth: 'user',
    tag,
    summary: 'Deletes one version',
    errors: ['conflict'],
    params: versionParams,
  }),
};
