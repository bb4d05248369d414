import { existsSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Environment } from '@mycloud/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { wantProgram } from '../../../test/support/require.js';
import { jobLines, localRunners, World } from './support/world.js';

const python = (...requirements: string[]): Environment => ({
  name: 'python3',
  description: '',
  interpreter: 'python',
  requirements,
});
const trainer = fileURLToPath(new URL('../../../packages/trainer/bin/train.mjs', import.meta.url));

describe.each(localRunners)('environments, by the %s runner', (runner) => {
  let world: World;
  beforeAll(async () => {
    world = await World.open();
    await world.start(runner, { MYCLOUD_SLOTS: '4' });
  });
  afterAll(() => world.close());

  it.runIf(existsSync(trainer))('the default one has the trainer', async () => {
    const attempt = await world.finished(world.submit('train --help'));
    expect(jobLines(attempt).join('\n')).toContain('--epochs');
  });

  it.runIf(wantProgram('python3'))('a Python one is built once, though two jobs ask for it', async () => {
    const environment = python();
    const command = 'python -c "import sys; print(sys.prefix)"; command -v python';
    const jobs = [world.submit(command, { environment }), world.submit(command, { environment })];
    const attempts = await Promise.all(jobs.map((jobId) => world.finished(jobId)));
    const [prefix, program] = jobLines(attempts[0]!);
    expect(program).toBe(`${prefix}/bin/python`);
    expect(prefix).toContain(`${world.home}/environments/python-`);
    expect(await realpath(`${world.home}/environments/python3`)).toBe(prefix);
    expect(jobLines(attempts[1]!)).toEqual([prefix, program]);
    const said = attempts.flatMap((attempt) => attempt.lines).filter((line) => line.source === 'system');
    // Both hear the build; one of them only waits for it.
    expect(said.filter((line) => line.text.endsWith('waiting for it')).length).toBe(1);
  });

  it.runIf(wantProgram('python3'))('one that can not be built says why', async () => {
    const environment = python('/nowhere/at-all.whl');
    const attempt = await world.finished(world.submit('true', { environment }));
    expect(attempt.finish?.reason).toBe('environment_failed');
    expect(attempt.finish?.detail).toMatch(/at-all/);
  });
});

describe('the environment tensorflow', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.open();
    await world.start(localRunners.at(-1)!);
  });
  afterAll(() => world.close());

  // From the network it takes PyPI's TensorFlow, 250 MB.
  const tools = ['python3', 'npm', 'make', 'g++'].every((program) => wantProgram(program));
  it.runIf(tools)('is built here, and a job computes with it', { timeout: 600_000 }, async () => {
    const environment: Environment = {
      name: 'tensorflow',
      description: '',
      interpreter: 'node',
      npm: ['@tensorflow/tfjs-node@4.22.0'],
      requirements: ['tensorflow-cpu==2.15.1'],
    };
    const script = `
      const path = require('node:path').join(process.env.MYCLOUD_TFJS_NODE, 'node_modules/@tensorflow/tfjs-node');
      const { TF_Version } = require(path + '/lib/napi-v8/tfjs_binding.node');
      console.log('TensorFlow', TF_Version);`;
    const attempt = await world.finished(
      world.submit(`node -e "${script.replaceAll('\n', ' ')}"`, { environment }),
      500,
    );
    expect(jobLines(attempt).join('\n')).toMatch(/TensorFlow 2\.\d+/);
  });
});
