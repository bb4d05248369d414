import { z } from 'zod';
import { idSchema } from './common.js';
import { defineRoute } from './route.js';

/**
 * The words of floyd-cli 0.11.17, the last one there was, as it speaks them (docs/floyd-cli.md). Its names hold slashes and
 * are the rest of a path, `*`: `lab/projects/cats/12`, `lab/datasets/cats/1`, `lab/projects/cats/12/output`.
 */
const base = '/api/v1';
const common = { auth: 'user', tag: 'floyd', wire: 'floyd' } as const;

/** A job's, a dataset's or a project's name, or an id. */
const named = z.object({ '*': z.string() });
const family = z.object({ family_id: z.string().max(300).default('') });

/** Settings that a `floyd run` sends with a job, and that a floyd.yml may hold too. null: not said. */
const said = {
  description: z.string().nullish(),
  command: z.string().nullish(),
  mode: z.string().nullish(),
  env: z.string().nullish(),
  instance_type: z.string().nullish(),
  /** Text of the folder's floyd.yml. */
  yaml_config: z.string().max(1_000_000).nullish(),
  /** Of the tasks in floyd.yml, the one to run. */
  task: z.string().nullish(),
};

/** The part `json` of an upload of code. */
export const floydCode = z.object({ name: z.string(), module_type: z.literal('code'), ...said });

/** What begins an upload of data. */
export const floydData = z.object({
  name: z.string(),
  module_type: z.literal('data'),
  data_type: z.literal('gzip', { error: 'data is uploaded as one tar.gz' }),
  description: z.string().max(10_000).nullish(),
});

export const floydRunBody = z.object({
  name: z.string(),
  /** As the upload of code answered it. */
  module_id: z.string(),
  /** DATA:MOUNT, each. */
  data_ids: z.array(z.string()).default([]),
  max_runtime: z.number().nullish(),
  ...said,
});
export type FloydRun = z.output<typeof floydRunBody>;

export const floydRestartBody = z.object({
  instance_type: z.string().optional(),
  env: z.string().optional(),
  data_ids: z.array(z.string()).optional(),
  description: z.string().optional(),
  command: z.string().optional(),
});

const utc = z.iso.datetime();

export const floydUser = z.object({
  uid: z.string(),
  username: z.string(),
  email: z.string(),
  type: z.string(),
});

export const floydProject = z.object({
  id: z.string(),
  name: z.string(),
  description: z.string(),
  public: z.boolean(),
  latest_experiment_name: z.string().nullable(),
});

export const floydDataset = floydProject.omit({ latest_experiment_name: true });

/** A job. What may be null here the client reads as null; nothing else may be. */
export const floydJob = z.object({
  id: z.string(),
  name: z.string(),
  created: utc,
  description: z.string(),
  state: z.string(),
  /** Seconds. */
  duration: z.number(),
  mode: z.string(),
  logId: z.string(),
  instanceLogId: z.string(),
  instanceOutputId: z.string().nullable(),
  instanceType: z.string(),
  timeout_seconds: z.number().int().nullable(),
  tensorboardUrl: z.string().nullable(),
  serviceUrl: z.string().nullable(),
  latest_metrics: z.record(z.string(), z.number()),
  /** Leads to the code: a job without any has no node. */
  canvas: z.object({
    nodes: z.record(z.string(), z.object({ taskInstanceId: z.string(), type: z.literal('module_node') })),
  }),
});
export type FloydJob = z.output<typeof floydJob>;

export const floydTaskInstance = z.object({
  id: z.string(),
  log_id: z.string(),
  mode: z.string(),
  module_id: z.string(),
  output_ids_dict: z.object({}),
});

/** Data: a version of a dataset, or what a job has. The client takes the same for a job's code, then with its command. */
export const floydModule = z.object({
  id: z.string(),
  name: z.string(),
  module_type: z.literal('DataModule'),
  date_created: utc,
  description: z.string(),
  /** Both are shown as they are. */
  data: z.object({ state: z.string(), size: z.string() }),
  version: z.string().nullable(),
  resource_id: z.string(),
  public: z.boolean(),
  command: z.string(),
});
export type FloydModule = z.output<typeof floydModule>;

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
