import type { ChildProcess } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { drawColour, metrics, startTrain } from './command.js';

const size = [
  '--image-size',
  '24',
  '--batch-size',
  '8',
  '--workers',
  '1',
  '--backend',
  'wasm',
  '--seed',
  '1',
];

let pictures: string;
let output: string;
const started: ChildProcess[] = [];

beforeAll(async () => {
  pictures = await mkdtemp(path.join(tmpdir(), 'train-in-'));
  for (const [part, count] of [
    ['train', 16],
    ['val', 8],
  ] as const) {
    await drawColour(path.join(pictures, part, 'cats'), count, { r: 220, g: 60, b: 60 });
    await drawColour(path.join(pictures, part, 'dogs'), count, { r: 60, g: 60, b: 220 });
  }
});
afterAll(() => rm(pictures, { recursive: true, force: true }));
beforeEach(async () => {
  output = await mkdtemp(path.join(tmpdir(), 'train-out-'));
});
afterEach(async () => {
  for (const child of started.splice(0)) if (child.exitCode === null) child.kill('SIGKILL');
  await rm(output, { recursive: true, force: true });
});

function start(args: string[], env: Record<string, string> = {}) {
  const run = startTrain(args, { MYCLOUD_INPUT: pictures, MYCLOUD_OUTPUT: output, ...env });
  started.push(run.child);
  return run;
}

async function run(args: string[], env: Record<string, string> = {}) {
  const { code, out, err } = start(args, env);
  return { code: await code, out: await out, err: await err };
}

describe('train', () => {
  test('learns two colours, says where it computes and why, and leaves weights, events and checkpoints', async () => {
    const { code, out, err } = await run([...size, '--epochs', '3', '--logdir', '/output/Graph']);
    expect(err).toBe('');
    expect(code).toBe(0);
    expect(out).toContain('Backend: WebAssembly');
    expect(out).toContain('Train on 32 pictures: 16 cats, 16 dogs');
    expect(out).toContain('max_pooling2d_2 (MaxPooling2D)');
    expect(out).toMatch(/Best epoch: \d \(loss .*val_acc/);
    expect(metrics(out)).toHaveLength(12);
    expect((await stat(path.join(output, 'weights.hdf5'))).size).toBeGreaterThan(10_000);
    expect((await readdir(path.join(output, 'Graph'))).sort()).toEqual(['train', 'validation']);
    expect(await readdir(path.join(output, 'checkpoints'))).toHaveLength(2);
  });

  test('stopped by SIGTERM it keeps a checkpoint, and the second attempt ends with the same numbers', async () => {
    const epochs = [...size, '--epochs', '6'];
    const whole = metrics((await run(epochs)).out);
    await rm(output, { recursive: true });

    const first = start(epochs);
    await new Promise<void>((resolve) => {
      let seen = '';
      first.child.stdout!.on('data', (chunk: Buffer) => {
        seen += chunk;
        if (seen.includes('"epoch":1')) resolve();
      });
    });
    first.child.kill('SIGTERM');
    expect(await first.code).toBe(143);

    const second = await run(epochs, { MYCLOUD_ATTEMPT: '2' });
    expect(second.code).toBe(0);
    expect(second.out).toContain('Going on from the checkpoint');
    expect([...metrics(await first.out), ...metrics(second.out)]).toEqual(whole);
  });

  test('with fewer pictures than a batch it trains on them all and says so', async () => {
    const { code, out } = await run([...size, '--epochs', '1', '--batch-size', '50']);
    expect(code).toBe(0);
    expect(out).toContain('32 pictures are fewer than a batch of 50');
  });

  test('pictures that are learnt from and judged by are warned about', async () => {
    const data = path.join(output, 'data');
    await cp(pictures, data, { recursive: true });
    await cp(path.join(data, 'train/cats/3.png'), path.join(data, 'val/cats/copy.png'));
    const { out } = await run([...size, '--epochs', '1', '--data', data]);
    expect(out).toMatch(
      /Warning: \d+ of the pictures to validate on are among those to train on .*copy\.png/,
    );
  });

  test('--json prints nothing but JSON lines', async () => {
    const { out } = await run([...size, '--epochs', '1', '--json']);
    const events = out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(events[0]).toMatchObject({ event: 'start', backend: 'wasm', train: { cats: 16, dogs: 16 } });
    expect(events.at(-1)).toMatchObject({ event: 'end', best: 0 });
  });
});

describe('train SCRIPT.ts', () => {
  const template = fileURLToPath(new URL('../templates/dogsvscats/very_little_data.ts', import.meta.url));

  test('runs the tutorial’s script over the library', async () => {
    // The script's own numbers, but for pictures of a quarter of the size and two steps.
    const script = path.join(output, 'small.ts');
    const source = (await readFile(template, 'utf8'))
      .replace('[150, 150]', '[36, 36]')
      .replace('trainSamples = 2000', 'trainSamples = 64')
      .replace('validationSamples = 400', 'validationSamples = 32');
    await writeFile(script, source);
    const { code, out, err } = await run([script, '--logdir', '/output/Graph', '--epochs', '2']);
    expect(err).toBe('');
    expect(code).toBe(0);
    expect(metrics(out)).toHaveLength(8);
    expect((await readdir(output)).sort()).toEqual(['Graph', 'checkpoints', 'small.ts', 'weights.hdf5']);
  });

  test('names the line that doesn’t parse, and the script that isn’t there', async () => {
    const script = path.join(output, 'broken.ts');
    await writeFile(script, 'const a = 1;\nconst b = ;\n');
    expect((await run([script])).err).toMatch(/broken\.ts:2: /);
    expect(await run(['absent.ts'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('There is no script'),
    });
  });
});

describe('bad input is refused in words', () => {
  const refused = async (args: string[], env?: Record<string, string>) => {
    const { code, err } = await run([...size, '--epochs', '1', ...args], env);
    return `${code} ${err}`;
  };

  test('a folder that isn’t there, or is a file', async () => {
    expect(await refused(['--data', '/no/such'])).toMatch(
      /^3 train: There is no folder \/no\/such\.\n {2}Name/,
    );
    await writeFile(path.join(output, 'file'), '');
    expect(await refused(['--data', path.join(output, 'file')])).toMatch(/^3 .*is not a folder/);
  });

  test('no train folder, no val folder, one class, no pictures', async () => {
    const data = path.join(output, 'data');
    await mkdir(path.join(data, 'images'), { recursive: true });
    expect(await refused(['--data', data])).toMatch(/^3 .*There is no folder train in .*; it holds images/);
    await drawColour(path.join(data, 'train/cats'), 2, { r: 1, g: 2, b: 3 });
    expect(await refused(['--data', data])).toMatch(/^3 .*neither val nor validation/);
    await mkdir(path.join(data, 'val/cats'), { recursive: true });
    expect(await refused(['--data', data])).toMatch(/^3 .*one folder \(cats\)/);
    await mkdir(path.join(data, 'train/dogs'), { recursive: true });
    expect(await refused(['--data', data])).toMatch(/^3 .*"dogs" has no pictures/);
  });

  test('wrong options, an output that can’t be written, a backend that isn’t there', async () => {
    expect(await refused(['--epochs', 'many'])).toMatch(/^2 .*--epochs.*whole number/);
    expect(await refused(['--bogus'])).toMatch(/^2 .*unknown option/);
    await writeFile(path.join(output, 'file'), '');
    expect(await refused(['--output', path.join(output, 'file/x')])).toMatch(/^2 .*can't be written to/);
    expect(await refused(['--backend', 'tensorflow'], { MYCLOUD_TFJS_NODE: output })).toMatch(
      /^4 .*tfjs-node is not installed in/,
    );
    expect(await refused(['--image-size', '10'])).toMatch(/^2 .*--image-size/s);
  });

  test('a learning rate at which the loss is no number any more', async () => {
    expect(await refused(['--optimizer', 'sgd', '--lr', '1e30', '--epochs', '3'])).toMatch(
      /^5 .*smaller learning rate/s,
    );
  });

  test('weights of another network, and a checkpoint of another optimizer', async () => {
    expect((await run([...size, '--epochs', '1'])).code).toBe(0);
    expect(await refused(['--load-weights', 'weights.hdf5', '--image-size', '30'])).toMatch(
      /^6 .*another network/,
    );
    expect(await refused(['--resume', '--optimizer', 'adam'])).toMatch(/^6 .*another network or optimizer/);
  });
});
