import { randomBytes, randomUUID } from 'node:crypto';
import { AppError, type CreateJob, type Job, jobRoutes, shellWord } from '@mycloud/shared';
import { confirm } from './confirm.js';
import type { Session } from './context.js';
import { hint, print, printJson } from './output.js';
import { tellEnvironment } from './submitted.js';
import { countText, table } from './text.js';
import { usage } from './usage.js';

/** The values of one job, by name, in the order of the flags. */
export type Combination = [name: string, value: string][];

/** Every job of a sweep has a tag that begins so. */
export const sweepTag = 'sweep-';
/** From here on one is asked first. */
const many = 50;
/** More are no experiment but a mistake, and a wall for everybody else's jobs. */
const most = 10_000;
/**
 * Every combination of the values, the last flag's changing fastest.
 * @param texts each `name=value,value,…`
 * @throws CommanderError for what can't be read, or is too much
 */
export function readSweep(texts: readonly string[]): Combination[] {
  const axes = texts.map(readAxis);
  const names = axes.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice) throw usage(`--sweep ${twice} is given twice; write all of its values in one: ${twice}=1,2,3`);
  const count = axes.reduce((product, { values }) => product * values.length, 1);
  if (count > most)
    throw usage(
      `this sweep is ${count.toLocaleString('en')} jobs; at most ${most.toLocaleString('en')} can be submitted at once`,
    );
  return axes.reduce<Combination[]>(
    (all, { name, values }) =>
      all.flatMap((before) => values.map((value): Combination => [...before, [name, value]])),
    [[]],
  );
}

function readAxis(text: string): { name: string; values: string[] } {
  const [, name = '', list = ''] = /^([^=]*)=(.*)$/s.exec(text) ?? [];
  if (!/^[A-Za-z_]\w*$/.test(name))
    throw usage(`--sweep ${text}: write NAME=VALUE,VALUE,… where NAME is of letters, digits and "_"`);
  const values = list.split(',').map((value) => value.trim());
  if (values.some((value) => value === '')) throw usage(`--sweep ${text}: a value is missing`);
  const twice = values.find((value, i) => values.indexOf(value) < i);
  if (twice !== undefined) throw usage(`--sweep ${text}: ${twice} is there twice`);
  const long = values.find((value) => /\s/.test(value) || name.length + value.length > 58);
  if (long !== undefined)
    throw usage(
      `--sweep ${text}: "${long}" is no word, or too long; values are words of at most ${58 - name.length} characters`,
    );
  return { name, values };
}

/** Says what stands in the command by no name, and asks before many jobs. */
export async function agreeToSweep(
  combinations: Combination[],
  command: string,
  yes: boolean | undefined,
): Promise<void> {
  for (const [name] of combinations[0] ?? []) {
    if (!command.includes(`{${name}}`) && !new RegExp(`\\$\\{?${name}\\b`).test(command))
      hint(`{${name}} is not in the command: it is only the environment variable ${name} of each job.`);
  }
  if (combinations.length > many)
    await confirm(`This sweep is ${countText(combinations.length, 'job')}. Submit them?`, yes);
}

/** The command of one job: each {name} is its value, as one word to the shell. */
function fillCommand(command: string, combination: Combination): string {
  const values = new Map(combination);
  return command.replace(/\{([A-Za-z_]\w*)\}/g, (all, name: string) => {
    const value = values.get(name);
    if (value === undefined) return all;
    return shellWord(value);
  });
}

interface Options {
  env?: string;
  follow?: boolean;
  exitStatus?: boolean;
  json?: boolean;
}

/** Submits a job for each combination; they share the code, and a tag by which they are found. */
export async function submitSweep(
  session: Session,
  params: { owner: string; project: string },
  body: CreateJob,
  combinations: Combination[],
  options: Options,
): Promise<void> {
  const id = randomBytes(3).toString('hex');
  const jobs: Job[] = [];
  const submit = (combination: Combination): Promise<Job> => {
    const words = combination.map(([name, value]) => `${name}=${value}`);
    const own: CreateJob = {
      ...body,
      command: fillCommand(body.command, combination),
      description: [body.description, words.join(' ')].filter(Boolean).join(': '),
      tags: [...(body.tags ?? []), `${sweepTag}${id}`, ...words],
      env: { ...body.env, ...Object.fromEntries(combination) },
    };
    return session.client.call(
      jobRoutes.create,
      { params, body: own },
      { headers: { 'idempotency-key': randomUUID() } },
    );
  };
  try {
    // One after the other: their numbers are in the order of the values.
    for (const combination of combinations) jobs.push(await submit(combination));
  } catch (error) {
    if (jobs.length === 0 || !(error instanceof AppError)) throw error;
    throw new AppError(
      error.code,
      `${jobs.length} of ${combinations.length} jobs were submitted, then: ${error.message}`,
      {
        cause: error,
        hint: `See them: mycloud sweep ${id}    Stop them: mycloud sweep ${id} --stop`,
      },
    );
  }
  if (options.json && !options.follow) return printJson({ sweep: id, jobs });
  if (!options.json) {
    if (jobs[0]) tellEnvironment(options.env, jobs[0]);
    print(
      table(
        ['JOB', 'MACHINE', 'COMMAND'],
        jobs.map((job) => [job.name, job.machine, job.command]),
      ),
    );
    hint(`\nTo see how they do:\n  mycloud sweep ${id} -f\nTo stop them:\n  mycloud sweep ${id} --stop`);
  }
  if (!options.follow) return;
  const { followSweep } = await import('./commands/sweep.js');
  await followSweep(session, params, id, options);
}
