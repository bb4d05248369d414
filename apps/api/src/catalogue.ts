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
    name: 'jupyter',
    description: 'JupyterLab with a Python 3 kernel, for `--mode jupyter`',
    interpreter: 'python',
    requirements: ['jupyterlab==4.6.6', 'ipykernel==7.4.0'],
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

export function openCatalogue(config: Pick<Config, 'machines' | 'environments'>): Catalogue {
  const machines = config.machines
    ? z.array(machineSchema).min(1).parse(JSON.parse(config.machines))
    : builtInMachines;
  const own = config.environments ? z.array(runnable).parse(JSON.parse(config.environments)) : [];
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

const runnable = environmentSchema.refine((one) => one.interpreter ?? one.image, {
  message: 'an environment needs an interpreter or an image',
});

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
