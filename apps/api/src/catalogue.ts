import { readFileSync } from 'node:fs';
import {
  AppError,
  builtInEnvironments,
  type Environment,
  environmentSchema,
  type FoundEnvironment,
  findEnvironment,
  type Machine,
  machineSchema,
  unknownName,
} from '@mycloud/shared';
import { z } from 'zod';
import type { Config } from './config.js';

const GiB = 1024 ** 3;

/** What one may ask for unless the server's configuration says otherwise. */
const builtInMachines: Machine[] = [
  { name: 'cpu', cores: 1, memoryBytes: 2 * GiB, gpus: 0 },
  { name: 'cpu2', cores: 2, memoryBytes: 4 * GiB, gpus: 0 },
  { name: 'gpu', cores: 2, memoryBytes: 8 * GiB, gpus: 1 },
  { name: 'gpu2', cores: 4, memoryBytes: 16 * GiB, gpus: 2 },
];

export interface Catalogue {
  machines: Machine[];
  environments: Environment[];
  /** @throws AppError bad_request with the nearest names */
  machine(name: string): Machine;
  /**
   * Of the catalogue; `image:NAME`, any container image; or what stands for an environment of FloydHub, then with a note
   * that says so. @throws AppError bad_request with the nearest names, or with what to do instead
   */
  environment(name: string): FoundEnvironment;
  /** Names of the environments that are images and nothing else. */
  imageOnly: string[];
}

/** @throws AppError bad_request that names every wrong entry of the configuration */
export function openCatalogue(config: Pick<Config, 'machines' | 'environments'>): Catalogue {
  const machines = config.machines
    ? readList('MYCLOUD_MACHINES', config.machines, z.array(machineSchema).min(1))
    : builtInMachines;
  const own = config.environments
    ? readList('MYCLOUD_ENVIRONMENTS', config.environments, ownEnvironments)
    : [];
  const all = [...builtInEnvironments.filter(({ name }) => !own.some((one) => one.name === name)), ...own];
  return {
    machines,
    environments: all,
    imageOnly: all.filter(({ interpreter }) => !interpreter).map(({ name }) => name),
    machine: (name) => findMachine(name, machines),
    environment: (name) => findEnvironment(name, all),
  };
}

const ownEnvironment = environmentSchema
  .extend({
    name: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/, 'use lower-case letters, digits, ".", "_" and "-"'),
    description: z.string().default(''),
    requirements: z.array(z.string()).default([]),
  })
  .strict()
  .transform((one) => ({ ...one, interpreter: one.interpreter ?? (one.python ? 'python' : undefined) }))
  .refine((one) => one.interpreter ?? one.image, {
    message: 'it needs `python`, an `interpreter` or an `image`',
  });

const ownEnvironments = z.array(ownEnvironment).superRefine((all, context) => {
  for (const [i, { name }] of all.entries()) {
    if (all.findIndex((one) => one.name === name) < i)
      context.addIssue({ code: 'custom', path: [i, 'name'], message: `${name} is there twice` });
  }
});

/** A setting that is a JSON list, or the path of a file that holds one. */
function readList<T extends z.ZodType>(variable: string, given: string, schema: T): z.output<T> {
  const file = given.trimStart().startsWith('[') ? undefined : given;
  const where = file ?? variable;
  let read: unknown;
  try {
    read = JSON.parse(file ? readFileSync(file, 'utf8') : given);
  } catch (error) {
    throw new AppError('bad_request', `${variable} can't be read: ${(error as Error).message}`, {
      hint: 'It is a JSON list, or the path of a file that holds one.',
    });
  }
  const parsed = schema.safeParse(read);
  if (parsed.success) return parsed.data;
  throw new AppError('bad_request', `the server cannot start with these entries of ${where}`, {
    errors: parsed.error.issues.map((issue) => ({
      path: entryPath(read, issue.path),
      message: issue.message,
    })),
    hint: 'Mend them.',
  });
}

/** [1] torch.python: counted, and by its name where it has one. */
function entryPath(read: unknown, [index, ...rest]: PropertyKey[]): string {
  const entry = typeof index === 'number' && Array.isArray(read) ? (read[index] as { name?: unknown }) : null;
  const name = typeof entry?.name === 'string' ? ` ${entry.name}` : '';
  return [`[${String(index ?? '')}]${name}`, ...rest.map(String)].join('.');
}

function findMachine(name: string, machines: Machine[]): Machine {
  const found = machines.find((machine) => machine.name === name);
  if (found) return found;
  throw unknownName('machine', name, machines);
}
