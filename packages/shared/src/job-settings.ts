import { z } from 'zod';
import { idSchema } from './common.js';
import { mountNameSchema } from './names.js';
import { maxNotify, notifyAddressSchema } from './notify-address.js';

export const tagSchema = z
  .string()
  .trim()
  .regex(/^[^\s,\p{C}]{1,60}$/u, 'a tag is one word of at most 60 characters, without commas');
/** In the order given, each once. */
const tagsSchema = z
  .array(tagSchema)
  .max(30, 'at most 30 tags')
  .transform((tags) => [...new Set(tags)]);

const mountsSchema = z
  .array(z.object({ source: z.string().min(1).max(300), name: mountNameSchema }))
  .max(20)
  .superRefine((mounts, context) => {
    const seen = new Set<string>();
    for (const [i, { name }] of mounts.entries()) {
      if (seen.has(name))
        context.addIssue({
          code: 'custom',
          path: [i, 'name'],
          message: `/${name} is mounted twice; give each mount its own name`,
        });
      seen.add(name);
    }
  });
/** What a job is for: a command that ends; JupyterLab; a web server, reached through this one. */
export const jobModes = ['command', 'jupyter', 'serve'] as const;
export type JobMode = (typeof jobModes)[number];
/** Unless somebody says otherwise, a job that waits for people ends after this long, so that a forgotten one frees its machine. */
export const interactiveMaxRuntimeSeconds = 12 * 3600;
/** A Jupyter that nobody uses ends after this long. */
export const jupyterIdleSeconds = 3600;
/** The environment of a Jupyter that names none. */
export const jupyterEnvironment = 'jupyter';

const variableName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/);
const variableValue = z.string().max(32_768);

/** What is asked of a job, besides its code and its own environment variables. */
const settings = {
  mode: z.enum(jobModes),
  command: z.string().trim().min(1, 'say what to run').max(100_000),
  description: z.string().max(10_000),
  tags: tagsSchema,
  mounts: mountsSchema,
  machine: z.string().max(63),
  /** Of the catalogue, or `image:NAME`. */
  environment: z.string().max(300),
  tensorboard: z.boolean(),
  maxRuntimeSeconds: z
    .number()
    .int()
    .positive()
    .max(365 * 86_400)
    .nullable(),
  /** Further attempts after the user's own failures. */
  retries: z.number().int().min(0).max(20),
  /** Addresses that hear of its end: https://…, slack:https://… or name@host. */
  notify: z.array(notifyAddressSchema).max(maxNotify),
  /** Of a Jupyter: it ends after so long without a busy kernel or an open page; null: never. */
  idleSeconds: z
    .number()
    .int()
    .min(1)
    .max(365 * 86_400)
    .nullable(),
};

export const createJobBody = z.object({
  mode: settings.mode.default('command'),
  command: settings.command,
  description: settings.description.default(''),
  tags: settings.tags.default([]),
  /** Snapshot of the code; null: an empty /code. */
  codeSnapshotId: idSchema.nullable().default(null),
  mounts: settings.mounts.default([]),
  machine: settings.machine.default('cpu'),
  environment: settings.environment.default('default'),
  env: z.record(variableName, variableValue).default({}),
  tensorboard: settings.tensorboard.default(false),
  /** null: none. Not given: none for a command, 12 hours for a Jupyter or a server. */
  maxRuntimeSeconds: settings.maxRuntimeSeconds.optional(),
  retries: settings.retries.default(0),
  notify: settings.notify.default([]),
  /** Not given: an hour. */
  idleSeconds: settings.idleSeconds.optional(),
});
export type CreateJob = z.input<typeof createJobBody>;

/** What is to be otherwise than it was; the rest stays. */
export const restartJobBody = z
  .object(settings)
  .partial()
  .extend({
    /** Own variables to set; null takes one away. The others keep their values, which are never shown. */
    env: z.record(variableName, variableValue.nullable()).optional(),
  });
export type RestartJob = z.input<typeof restartJobBody>;

const noteSchema = z.string().max(20_000);
export const editJobBody = z
  .object({ description: settings.description, tags: settings.tags, note: noteSchema })
  .partial();
export type EditJob = z.input<typeof editJobBody>;
