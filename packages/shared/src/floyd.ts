import { z } from 'zod';
import { idSchema } from './common.js';
import {
  floydDataset,
  floydJob,
  floydModule,
  floydProject,
  floydRestartBody,
  floydRunBody,
  floydTaskInstance,
  floydUser,
} from './floyd-words.js';
import { defineRoute } from './route.js';

/**
 * The routes of floyd-cli 0.11.17, the last one there was, as it calls them (docs/floyd-cli.md). Its names hold slashes and
 * are the rest of a path, `*`: `lab/projects/cats/12`, `lab/datasets/cats/1`, `lab/projects/cats/12/output`.
 */
const base = '/api/v1';
const common = { auth: 'user', tag: 'floyd', wire: 'floyd' } as const;

/** A job's, a dataset's or a project's name, or an id. */
const named = z.object({ '*': z.string() });
const family = z.object({ family_id: z.string().max(300).default('') });

const made = z.object({ id: z.string(), name: z.string() });

export const floydRoutes = {
  version: defineRoute({
    ...common,
    method: 'GET',
    path: `${base}/cli_version`,
    auth: 'none',
    summary: 'The versions of floyd-cli that are understood',
    response: z.object({ latest_version: z.string(), min_version: z.string() }),
  }),
  environments: defineRoute({
    ...common,
    method: 'GET',
    path: `${base}/env`,
    auth: 'none',
    summary: 'Names of environments by the kind of machine',
    response: z.record(z.string(), z.record(z.string(), z.string())),
  }),
  user: defineRoute({
    ...common,
    method: 'GET',
    path: `${base}/user/`,
    summary: 'Whose token it is',
    response: floydUser,
  }),
  project: defineRoute({
    ...common,
    method: 'GET',
    path: `${base}/projects/*`,
    summary: 'A project',
    response: floydProject,
    params: named,
  }),
  jobs: defineRoute({
    ...common,
    method: 'GET',
    path: `${base}/experiments/`,
    summary: 'The jobs of a project',
    response: z.array(floydJob),
    query: family,
  }),
  job: defineRoute({
    ...common,
    method: 'GET',
    path: `${base}/experiments/*`,
    summary: 'A job',
    response: floydJob,
    params: named,
  }),
  stop: defineRoute({
    ...common,
    method: 'GET',
    path: `${base}/experiments/cancel/*`,
    audit: 'stop job',
    summary: 'Stops a job',
    response: z.object({}),
    params: named,
  }),
  run: defineRoute({
    ...common,
    method: 'POST',
    path: `${base}/experiments/run_module/`,
    audit: 'submit job',
    summary: 'Submits a job',
    response: made,
    body: floydRunBody,
  }),
  restart: defineRoute({
    ...common,
    method: 'POST',
    path: `${base}/experiments/restart/*`,
    audit: 'restart job',
    summary: 'Submits a job again',
    response: made,
    params: named,
    body: floydRestartBody,
  }),
  deleteJob: defineRoute({
    ...common,
    method: 'DELETE',
    path: `${base}/experiments/*`,
    audit: 'delete job',
    summary: 'Deletes a job',
    params: named,
    response: z.object({}),
  }),
  taskInstance: defineRoute({
    ...common,
    method: 'GET',
    path: `${base}/taskinstances/*`,
    summary: 'What of a job leads to its code',
    response: floydTaskInstance,
    params: named,
  }),
  /** The body is JSON (floydData), or a form of files and floydCode. */
  upload: defineRoute({
    ...common,
    method: 'POST',
    path: `${base}/modules/`,
    audit: 'upload',
    summary: 'Takes code, or begins an upload of data',
    response: made,
  }),
  allData: defineRoute({
    ...common,
    method: 'GET',
    path: `${base}/modules/`,
    summary: 'The versions of a dataset',
    response: z.array(floydModule),
    query: family,
  }),
  data: defineRoute({
    ...common,
    method: 'GET',
    path: `${base}/modules/*`,
    summary: 'A version of a dataset, or the output or code of a job',
    response: floydModule,
    params: named,
  }),
  deleteData: defineRoute({
    ...common,
    method: 'DELETE',
    path: `${base}/modules/*`,
    audit: 'delete dataset version',
    summary: 'Deletes a version of a dataset',
    params: named,
    response: z.object({}),
  }),
  credentials: defineRoute({
    ...common,
    method: 'POST',
    path: `${base}/modules/:id/upload_v2_credentials`,
    audit: false,
    summary: 'What an upload of data is sent with',
    response: z.object({ data_upload_id: z.string(), token: z.string() }),
    params: z.object({ id: idSchema }),
  }),
  dataset: defineRoute({
    ...common,
    method: 'GET',
    path: `${base}/datasets/*`,
    summary: 'A dataset',
    response: floydDataset,
    params: named,
  }),
  addData: defineRoute({
    ...common,
    method: 'POST',
    path: `${base}/datasets/*`,
    audit: 'add dataset version',
    summary: "Makes a job's output the next version of a dataset",
    response: z.object({ data_id: z.string() }),
    params: named,
    body: z.object({ source: z.string() }),
  }),
  /** `content`: its text, a file's bytes or a folder's list; `download`: all of it as a tar. */
  resource: defineRoute({
    ...common,
    method: 'GET',
    path: `${base}/resources/*`,
    summary: 'A log, a file, a list of files, or an archive',
    raw: { response: 'application/octet-stream' },
    params: named,
    query: z.object({ content: z.string().optional(), download: z.string().optional() }),
  }),
  artifacts: defineRoute({
    ...common,
    method: 'GET',
    path: `${base}/download/artifacts/*`,
    summary: 'A folder of code, of an output or of data, as a tar',
    raw: { response: 'application/x-tar' },
    params: named,
    query: z.object({ path: z.string().max(4096).default('') }),
  }),
  // tus 1.0.0 (tus.io), its core and creation.
  tusCreate: defineRoute({
    ...common,
    method: 'POST',
    path: `${base}/upload/`,
    audit: false,
    status: 201,
    summary: 'Begins to take the bytes of an upload (tus)',
  }),
  tusOffset: defineRoute({
    ...common,
    method: 'HEAD',
    path: `${base}/upload/:id`,
    status: 200,
    summary: 'How many bytes have come (tus)',
    params: z.object({ id: idSchema }),
  }),
  tusAppend: defineRoute({
    ...common,
    method: 'PATCH',
    path: `${base}/upload/:id`,
    audit: false,
    summary: 'Takes bytes (tus)',
    params: z.object({ id: idSchema }),
  }),
};
