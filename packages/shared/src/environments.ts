import { AppError } from './errors.js';
import { floydEnvironment } from './floyd-environments.js';
import { type Environment, imagePrefix } from './machines.js';
import { nearest } from './names.js';

/** One list, so that a worker keeps one copy of it for both environments. */
const keras2 = ['tensorflow-cpu==2.15.1', 'pillow', 'scipy'];
const keras2Pythons = ['3.11', '3.10', '3.9'];

/** What there is unless a server's configuration says otherwise. */
export const builtInEnvironments: Environment[] = [
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

/** An environment that was asked for; the note says so where it only stands for one of FloydHub. */
export type FoundEnvironment = Environment & { note?: string };

/**
 * Of these environments; `image:NAME`, any container image; or what stands for an environment of FloydHub.
 * @throws AppError bad_request with the nearest names, or with what to do instead
 */
export function findEnvironment(name: string, all: readonly Environment[]): FoundEnvironment {
  if (name.startsWith(imagePrefix)) return imageEnvironment(name);
  const found = all.find((one) => one.name === name);
  if (found) return found;
  const floyds = floydEnvironment(name);
  if (!floyds) throw unknownName('environment', name, all);
  const { environment, note } = floyds;
  if (environment) return { ...findEnvironment(environment, all), note };
  throw new AppError('bad_request', `FloydHub's environment "${name}" isn't here`, { hint: note });
}

/** The error for a name that none of these things has. */
export function unknownName(noun: string, name: string, things: readonly { name: string }[]): AppError {
  const names = things.map((thing) => thing.name);
  const near = nearest(name, names);
  return new AppError('bad_request', `there is no ${noun} "${name}"`, {
    hint: near.length > 0 ? `Did you mean ${near.join(' or ')}?` : `There are: ${names.join(', ')}.`,
  });
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
