import { z } from 'zod';

/** What floyd-cli 0.11.17 sends and is answered, in its own words. */

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
