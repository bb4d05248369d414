import { AppError } from '@mycloud/shared';
import { parse } from 'yaml';
import { z } from 'zod';
import { mountOf, readMount } from './mount.js';

const inputSchema = z.union([
  z.string().transform(readMount),
  z
    .object({ source: z.string(), destination: z.string().default('input') })
    .transform(({ source, destination }) => mountOf(source, destination)),
]);

const settingsSchema = z.object({
  machine: z.string().nullish(),
  env: z.string().nullish(),
  input: z.union([z.array(inputSchema), inputSchema.transform((one) => [one])]).nullish(),
  description: z.string().nullish(),
  max_runtime: z.number().nullish(),
  command: z.string().nullish(),
  mode: z.string().nullish(),
});
export type YamlSettings = z.output<typeof settingsSchema>;
const fileSchema = settingsSchema.extend({ task: z.record(z.string(), settingsSchema.nullable()).nullish() });

/**
 * The settings of a floyd.yml, those of a task before the others.
 * @param text undefined or null where there is none. @throws AppError bad_request naming what is wrong in it
 */
export function readYaml(text: string | null | undefined, task: string | null | undefined): YamlSettings {
  const { task: tasks, ...settings } = readFile(text ?? '');
  if (!task) return settings;
  const chosen = tasks?.[task];
  if (!chosen) {
    const names = Object.keys(tasks ?? {});
    throw new AppError('bad_request', `floyd.yml has no task "${task}"`, {
      hint: names.length > 0 ? `It has: ${names.join(', ')}.` : 'It has no tasks.',
    });
  }
  const said = Object.entries(chosen).filter(([, value]) => value !== null && value !== undefined);
  return { ...settings, ...Object.fromEntries(said) };
}

function readFile(text: string): z.output<typeof fileSchema> {
  let value: unknown;
  try {
    // As the client itself reads it.
    value = parse(text, { version: '1.1' });
  } catch (cause) {
    throw new AppError('bad_request', `floyd.yml can't be read: ${(cause as Error).message}`, { cause });
  }
  const parsed = fileSchema.safeParse(value ?? {});
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues.map((one) => ({ path: one.path.join('.'), message: one.message }));
  throw new AppError('bad_request', 'floyd.yml is not as it should be', { errors });
}
