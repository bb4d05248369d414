import { isMap, LineCounter, type ParsedNode, parseDocument } from 'yaml';
import { z } from 'zod';
import { parseSeconds } from './duration.js';
import { AppError } from './errors.js';
import { mountName, parseMount, placeMounts, proposedMounts } from './mounts.js';
import { nearest } from './names.js';
import { maxNotify, notifyAddressSchema } from './notify-address.js';

const inputSchema = z.union([
  z.string().transform((text, context) => {
    const mount = parseMount(text);
    if (mount) return mount;
    context.addIssue({ code: 'custom', message: `"${text}" is no SOURCE:MOUNT` });
    return z.NEVER;
  }),
  z
    .strictObject({ source: z.string().min(1), destination: z.string().transform(mountName).optional() })
    .transform(({ source, destination }) => ({ source, name: destination })),
]);

const inputsSchema = z
  .union([inputSchema.transform((one) => [one]), z.array(inputSchema)])
  .transform((written, context) => {
    const placed = placeMounts(written);
    if (placed) return placed;
    context.addIssue({
      code: 'custom',
      message: `several inputs have no destination; write ${proposedMounts(written).join(' and ')}`,
    });
    return z.NEVER;
  });

const runtimeSchema = z.union([z.string(), z.number()]).transform((value, context) => {
  const seconds = parseSeconds(String(value));
  if (seconds !== undefined) return seconds;
  context.addIssue({ code: 'custom', message: 'write seconds, or 90s, 30m, 2h, 1d' });
  return z.NEVER;
});

/** `yes` and `on` are true to floyd's YAML 1.1, and words to 1.2. */
const yesSchema = z.union([z.boolean(), z.string()]).transform((value, context) => {
  if (typeof value === 'boolean') return value;
  if (/^(yes|on)$/i.test(value)) return true;
  if (/^(no|off)$/i.test(value)) return false;
  context.addIssue({ code: 'custom', message: 'write true or false' });
  return z.NEVER;
});

const notifySchema = z
  .union([notifyAddressSchema.transform((one) => [one]), z.array(notifyAddressSchema)])
  .refine((addresses) => addresses.length <= maxNotify, `at most ${maxNotify} addresses hear of a job's end`);

const settingsSchema = z
  .strictObject({
    machine: z.string(),
    env: z.string(),
    input: inputsSchema,
    description: z.string(),
    max_runtime: runtimeSchema,
    command: z.string(),
    tensorboard: yesSchema,
    /** Who hears of its end. */
    notify: notifySchema,
    /** `command` is floyd's older word for `job`. */
    mode: z.enum(['job', 'command', 'jupyter', 'serve']),
  })
  .partial();
/** What a job file says of a job, or of one of its tasks. */
export type JobFileSettings = z.output<typeof settingsSchema>;

const jobFileSchema = settingsSchema.extend({ task: z.record(z.string(), settingsSchema).default({}) });
export type JobFile = z.output<typeof jobFileSchema>;

/**
 * Reads a `mycloud.yml`, or floyd's `floyd.yml`: machine, env, input, description, max_runtime, command, tensorboard, notify, mode,
 * and under `task` the same by the name of the task. A key without a value counts as not said.
 * @param name of the file, for what is told of it
 * @throws AppError bad_request naming every wrong key with its line
 */
export function readJobFile(text: string, name: string): JobFile {
  const lines = new LineCounter();
  // As floyd's own reader, `<<` takes over the keys of an anchor.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true });
  const [broken] = document.errors;
  if (broken) {
    const { line } = lines.linePos(broken.pos[0]);
    const isTab = broken.code === 'TAB_AS_INDENT' || /^\s*\t/.test(text.split('\n')[line - 1] ?? '');
    throw new AppError(
      'bad_request',
      isTab
        ? `${name}, line ${line}: it is indented with a tab, and YAML takes only spaces`
        : `${name}, line ${line}: ${broken.message}`,
      { hint: isTab ? 'Put spaces in place of the tab.' : `Mend the line, or check it as YAML.` },
    );
  }
  const said = saidOf(document.toJS() ?? {});
  const parsed = jobFileSchema.safeParse(said);
  if (parsed.success) return parsed.data;
  const errors = parsed.error.issues
    .flatMap((issue) => tellIssue(issue, said))
    .map((wrong) => ({ ...wrong, ...lines.linePos(startOf(document.contents, wrong.path)) }))
    .sort((a, b) => a.line - b.line)
    .map(({ line, path, message }) => ({
      path: `line ${line}${path.length > 0 ? `, ${path.join('.')}` : ''}`,
      message,
    }));
  throw new AppError('bad_request', `${name} can't be used`, { errors });
}

/** The settings of a task over those of all tasks. @throws AppError not_found with the tasks there are */
export function taskSettings(file: JobFile, name: string, task: string | undefined): JobFileSettings {
  const { task: tasks, ...common } = file;
  if (task === undefined) return common;
  const chosen = Object.hasOwn(tasks, task) ? tasks[task] : undefined;
  if (chosen) return { ...common, ...chosen };
  const names = Object.keys(tasks);
  const near = nearest(task, names);
  throw new AppError('not_found', `${name} has no task "${task}"`, {
    hint:
      names.length === 0
        ? 'It has no tasks; they stand under `task:`.'
        : `${near.length > 0 ? `Did you mean ${near.join(' or ')}? ` : ''}There are: ${names.join(', ')}.`,
  });
}

/** A key without a value says nothing; a task without one is as the others say. */
function saidOf(value: unknown): unknown {
  if (!isPlain(value)) return value;
  const { task, ...common } = value;
  const tasks = isPlain(task)
    ? Object.fromEntries(Object.entries(task).map(([name, one]) => [name, withoutNulls(one ?? {})]))
    : (task ?? undefined);
  return { ...(withoutNulls(common) as object), ...(tasks !== undefined && { task: tasks }) };
}

function withoutNulls(value: unknown): unknown {
  if (!isPlain(value)) return value;
  const said = Object.entries(value).filter(([, one]) => one !== null);
  return Object.fromEntries(said.map(([key, one]) => [key, withoutNulls(one)]));
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What is wrong, each key for itself. */
function tellIssue(issue: z.core.$ZodIssue, said: unknown): { path: PropertyKey[]; message: string }[] {
  if (issue.code === 'invalid_union') {
    // Of the forms it may have, the one that fits best says what is wrong with it.
    const [closest] = [...issue.errors].sort((a, b) => depth(b) - depth(a));
    return (closest ?? []).flatMap((inner) =>
      tellIssue({ ...inner, path: [...issue.path, ...inner.path] } as z.core.$ZodIssue, said),
    );
  }
  if (issue.code !== 'unrecognized_keys') return [{ path: issue.path, message: issue.message }];
  const known = Object.keys(
    issue.path.includes('input')
      ? { source: 1, destination: 1 }
      : issue.path.length === 0
        ? jobFileSchema.shape
        : settingsSchema.shape,
  );
  return issue.keys.map((key) => {
    const near = nearest(key, known);
    const isTask = issue.path.length === 0 && isPlain(said) && isPlain(said[key]);
    const hint =
      near.length > 0
        ? `did you mean "${near[0]}"?`
        : isTask
          ? 'a task stands under "task:"'
          : `there are ${known.join(', ')}`;
    return { path: [...issue.path, key], message: `there is no such key; ${hint}` };
  });
}

/** How far into the value an error lies: a form that is of another type altogether fails at once. */
const depth = (issues: readonly z.core.$ZodIssue[]): number =>
  Math.max(0, ...issues.map((issue) => issue.path.length + (issue.code === 'invalid_type' ? 0 : 1)));

/** Where a key or an item begins in the text; of one that isn't there, where what would hold it begins. */
function startOf(node: ParsedNode | null, path: PropertyKey[]): number {
  const [key, ...rest] = path;
  if (!node || key === undefined) return node?.range[0] ?? 0;
  if (isMap(node)) {
    const pair = node.items.find((item) => String(item.key) === String(key));
    if (!pair) return node.range[0];
    return rest.length === 0 || !pair.value
      ? (pair.key as ParsedNode).range[0]
      : startOf(pair.value as ParsedNode, rest);
  }
  const child = 'items' in node ? (node.items as ParsedNode[])[Number(key)] : undefined;
  return child ? startOf(child, rest) : node.range[0];
}
