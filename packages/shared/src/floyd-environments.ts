/** The environments FloydHub published (docs.floydhub.com/guides/environments, 2020), and the few older names. */
const published: Record<string, string[]> = {
  tensorflow: [
    '',
    '0.12',
    '1.0',
    '1.2',
    '1.3',
    '1.4',
    '1.5',
    '1.7',
    '1.8',
    '1.9',
    '1.10',
    '1.11',
    '1.12',
    '1.13',
    '1.14',
    '1.15',
    '2.0',
    '2.1',
    '2.2',
  ],
  keras: [''],
  pytorch: ['', '0.1', '0.2', '0.3', '0.4', '1.0', '1.1', '1.2', '1.3', '1.4', '1.5'],
  theano: ['', '0.9'],
  chainer: ['', '1.23', '2.0'],
  caffe: [''],
  mxnet: [''],
  torch: [''],
  kur: [''],
};

/** All names that floyd-cli's users know; `:py2` stands beside each. */
export const floydEnvironmentNames: string[] = [
  'default',
  ...Object.entries(published).flatMap(([framework, versions]) =>
    versions.flatMap((version) => {
      const name = version ? `${framework}-${version}` : framework;
      return [name, `${name}:py2`];
    }),
  ),
];

/** What stands for an environment of FloydHub here. */
export interface FloydEnvironment {
  /** One of ours; null: nothing does. */
  environment: string | null;
  /** What that means for the command, in sentences. */
  note: string;
}

/** What nothing here stands for, with what to write instead. */
const withoutMatch: Record<string, string> = {
  chainer: 'Put `chainer` into requirements.txt and run with --env python3.',
  mxnet:
    'Put `mxnet` into requirements.txt and run with --env python3, or name a container image that has it: --env image:NAME.',
  caffe: 'It isn’t on PyPI. Name a container image that has it: --env image:NAME.',
  torch: 'Torch 7 is programmed in Lua; its successor is PyTorch: --env pytorch.',
  kur: 'Put `kur` into requirements.txt and run with --env python3.',
};

const python2 = ' Python 2 isn’t there: the code must run on Python 3 (`2to3 -w .` rewrites most of it).';

/**
 * The nearest of ours to an environment of FloydHub, of any version: `tensorflow-1.4:py2` is keras-2.15.
 * @returns undefined for what FloydHub never had. Some names are ours too (default, tensorflow) and mean something else
 * there: who speaks our own words asks the catalogue first.
 */
export function floydEnvironment(name: string): FloydEnvironment | undefined {
  const [, framework = '', version = '', python = ''] =
    /^([a-z]+)(?:-(\d+(?:\.\d+)*|\d+\.x))?(?::(py[23]))?$/.exec(name) ?? [];
  if (name !== 'default' && !Object.hasOwn(published, framework)) return undefined;
  const instead = withoutMatch[framework];
  if (instead) return { environment: null, note: instead };
  const { environment, note } = stoodForBy(framework, version);
  return {
    environment,
    note: `${name} of FloydHub is ${environment} here: ${note}${python === 'py2' ? python2 : ''}`,
  };
}

function stoodForBy(framework: string, version: string): { environment: string; note: string } {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (framework === 'pytorch') {
    const older = major < 2 ? ` instead of ${version || 'an older one'}` : '';
    return { environment: 'pytorch', note: `PyTorch 2 on Python 3${older}.` };
  }
  if (framework === 'theano') {
    return {
      environment: 'keras-2.15',
      note: 'code of Keras runs on TensorFlow there; `import theano` isn’t to be had for today’s Python.',
    };
  }
  if (framework === 'tensorflow' && (major > 2 || (major === 2 && minor >= 16)))
    return { environment: 'keras-3', note: 'TensorFlow 2.21 and Keras 3 on Python 3.' };
  const first = framework === 'tensorflow' && version !== '' && major < 2;
  return {
    environment: 'keras-2.15',
    note: `TensorFlow 2.15 and Keras 2.15 on Python 3.${
      first
        ? ' Code of TensorFlow 1 itself (sessions, placeholders) wants `import tensorflow.compat.v1 as tf; tf.disable_v2_behavior()`.'
        : ''
    }`,
  };
}
