import { AppError, type Environment, type Machine, machineSchema, nearest } from '@mycloud/shared';
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

const environments: Environment[] = [
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
    requirements: keras2,
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
  /** @throws AppError bad_request with the nearest names */
  environment(name: string): Environment;
}

export function openCatalogue(config: Pick<Config, 'machines'>): Catalogue {
  const machines = config.machines
    ? z.array(machineSchema).min(1).parse(JSON.parse(config.machines))
    : builtInMachines;
  return {
    machines,
    environments,
    machine: (name) => find('machine', name, machines),
    environment: (name) => find('environment', name, environments),
  };
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
