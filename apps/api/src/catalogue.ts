import { readFileSync } from 'node:fs';
import {
  AppError,
  type Environment,
  environmentSchema,
  floydEnvironment,
  imagePrefix,
  type Machine,
  machineSchema,
  nearest,
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

/** One list, so that a worker keeps one copy of it for both environments. */
const keras2 = ['tensorflow-cpu==2.15.1', 'pillow', 'scipy'];
const keras2Pythons = ['3.11', '3.10', '3.9'];

const builtIn: Environment[] = [
  {
    name: 'default',
    description: 'Node and the TypeScript trainer, computing on WebAssembly',
    interpreter: 'node',
    requirements: [],
  },
  {
    name: 'tensorflow',
    description: 'Node and the TypeScript trainer, computing on TensorFlow',
    interpreter: 'node',
    npm: ['@tensorflow/tfjs-node@4.22.0'],
    pythonVersions: keras2Pythons,
    requirements: keras2,
  },
  {
    name: 'python3',
    description: "The worker's Python 3, empty but for pip",
    interpreter: 'python',
    requirements: [],
  },
  {
    name: 'keras-2.15',
    description: 'Keras 2.15 on TensorFlow 2.15 (CPU): runs the tutorial’s script unchanged',
    interpreter: 'python',
    pythonVersions: keras2Pythons,
    requirements: keras2,
  },
  {
    name: 'keras-3',
    description: 'Keras 3 on TensorFlow 2.21 (CPU)',
    interpreter: 'python',
    requirements: ['tensorflow-cpu==2.21.0', 'pillow', 'scipy'],
  },
  {
    name: 'pytorch',
    description: 'PyTorch 2.9 as PyPI has it, with CUDA on Linux: some gigabytes',
    interpreter: 'python',
    requirements: ['torch==2.9.1', 'torchvision==0.24.1'],
  },
  {
    name: 'tensorboard',
    description: 'TensorBoard',
    interpreter: 'python',
    requirements: ['tensorboard', 'setuptools<81'],
  },
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
  environment(name: string): Environment & { note?: string };
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
  const all = [...builtIn.filter(({ name }) => !own.some((one) => one.name === name)), ...own];
  return {
    machines,
    environments: all,
    imageOnly: all.filter(({ interpreter }) => !interpreter).map(({ name }) => name),
    machine: (name) => find('machine', name, machines),
    environment(name) {
      if (name.startsWith(imagePrefix)) return imageEnvironment(name);
      return all.find((one) => one.name === name) ?? floydsEnvironment(name, all);
    },
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

/** As Docker writes the name of an image: host:port/path/name:tag@digest. */
const imageName = /^[a-z0-9][\w.-]*(:\d+)?(\/[\w.-]+)*(:[\w.-]+)?(@sha256:[0-9a-f]{64})?$/i;

function imageEnvironment(name: string): Environment {
  const image = name.slice(imagePrefix.length);
  if (imageName.test(image)) return { name, description: 'a container image', requirements: [], image };
  throw new AppError('bad_request', `"${image}" is no name of a container image`, {
    hint: 'Write it as Docker does, such as image:pytorch/pytorch:2.9.0-cuda12.8-cudnn9-runtime.',
  });
}

/** An environment by the name it had on FloydHub. @throws AppError bad_request where nothing stands for it here */
function floydsEnvironment(name: string, all: Environment[]): Environment & { note?: string } {
  const floyds = floydEnvironment(name);
  if (!floyds) return find('environment', name, all);
  const { environment, note } = floyds;
  if (environment) return { ...find('environment', environment, all), note };
  throw new AppError('bad_request', `FloydHub's environment "${name}" isn't here`, { hint: note });
}

function find<T extends { name: string }>(noun: string, name: string, items: T[]): T {
  const found = items.find((item) => item.name === name);
  if (found) return found;
  const names = items.map((item) => item.name);
  const near = nearest(name, names);
  throw new AppError('bad_request', `there is no ${noun} "${name}"`, {
    hint: near.length > 0 ? `Did you mean ${near.join(' or ')}?` : `There are: ${names.join(', ')}.`,
  });
}
