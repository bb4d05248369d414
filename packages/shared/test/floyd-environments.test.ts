import { describe, expect, it } from 'vitest';
import { floydEnvironment, floydEnvironmentNames } from '../src/floyd-environments.js';

describe("FloydHub's environments", () => {
  it.each([
    ['default', 'keras-2.15'],
    ['tensorflow', 'keras-2.15'],
    ['tensorflow-1.4:py3', 'keras-2.15'],
    ['tensorflow-2.x', 'keras-2.15'],
    ['tensorflow-2.17', 'keras-3'],
    ['keras', 'keras-2.15'],
    ['theano-0.9', 'keras-2.15'],
    ['pytorch-1.0', 'pytorch'],
  ])('%s is %s here, and the note names both', (name, environment) => {
    const found = floydEnvironment(name);
    expect(found?.environment).toBe(environment);
    expect(found?.note).toMatch(new RegExp(`^${name} of FloydHub is ${environment} here: `));
    expect(found?.note).not.toMatch(/Python 2/);
  });

  it('of Python 2 say that it is not there', () => {
    expect(floydEnvironment('keras:py2')).toMatchObject({
      environment: 'keras-2.15',
      note: expect.stringMatching(/Python 2 isn’t there/),
    });
  });

  it('of TensorFlow 1 say what its sessions want', () => {
    expect(floydEnvironment('tensorflow-1.8')?.note).toMatch(/compat\.v1/);
    expect(floydEnvironment('tensorflow-2.1')?.note).not.toMatch(/compat\.v1/);
  });

  it.each([
    ['mxnet:py2', /requirements\.txt .* python3/],
    ['caffe', /container image/],
    ['torch', /pytorch/],
  ])('%s has no match, and says what to do', (name, note) => {
    expect(floydEnvironment(name)).toEqual({ environment: null, note: expect.stringMatching(note) });
  });

  it('are all known by the names that were published, and nothing else is', () => {
    for (const name of floydEnvironmentNames) expect(floydEnvironment(name), name).toBeDefined();
    expect(floydEnvironmentNames).toContain('tensorflow-1.9:py2');
    for (const name of ['keras-2.15x', 'tensorfow', 'toString', 'tensorflow-', ''])
      expect(floydEnvironment(name)).toBeUndefined();
  });
});
