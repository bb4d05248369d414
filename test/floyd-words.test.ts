import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Job } from '@mycloud/shared';
import { jobRoutes } from '@mycloud/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startServer, type TestServer } from './support/server.js';

/** Runs nothing that has to end: what is asked of a job is seen as soon as it is submitted. */
const quick = 'true';

let server: TestServer;
let owner: string;
let cats: string;
beforeAll(async () => {
  server = await startServer();
  cats = await server.project('cats', { 'train.py': 'print("hello")' });
  for (const text of ['one', 'two']) {
    await mkdir(path.join(server.folder, text));
    await writeFile(path.join(server.folder, text, 'a.txt'), text);
    await server.json(['data', 'upload', 'letters', '--dir', text]);
  }
  const first = await server.json<Job>(['run', 'echo kept > "$MYCLOUD_OUTPUT/kept.txt"'], { cwd: cats });
  owner = first.owner;
  expect(await server.ended(first)).toMatchObject({ status: 'succeeded' });
});
afterAll(() => server?.remove());

const run = (args: string[], cwd = cats) => server.json<Job>(['run', ...args], { cwd });
/** Runs it, expects a failure that says all of `says`, and no stack trace. @returns what was said */
async function refused(args: string[], code: number, says: string[], cwd = cats): Promise<void> {
  const result = await server.cli(args, { cwd });
  for (const part of says) expect(result.stderr).toContain(part);
  expect(result.stderr).not.toMatch(/\n {4}at /);
  expect(result.code).toBe(code);
}

describe('--data takes what floyd took', () => {
  it.each([
    ['OWNER/datasets/letters/1:model', 'OWNER/datasets/letters/1', 'model'],
    ['OWNER/datasets/letters:model', 'OWNER/datasets/letters/2', 'model'],
    ['letters:model', 'OWNER/datasets/letters/2', 'model'],
    ['letters/1:model', 'OWNER/datasets/letters/1', 'model'],
    ['letters/1:/model/', 'OWNER/datasets/letters/1', 'model'],
    ['OWNER/projects/cats/1/output:model', 'OWNER/projects/cats/1/output', 'model'],
    ['OWNER/projects/cats/1:model', 'OWNER/projects/cats/1/output', 'model'],
    ['cats/1/output:model', 'OWNER/projects/cats/1/output', 'model'],
    ['letters/1', 'OWNER/datasets/letters/1', 'input'],
  ])('%s', async (text, source, name) => {
    const { mounts } = await run(['--data', text.replace('OWNER', owner), quick]);
    expect(mounts).toMatchObject([{ source: source.replace('OWNER', owner), name }]);
  });

  it('several, each with its mount; without, it is told what to write', async () => {
    const { mounts } = await run(['--data', 'letters/1:a', '--data', 'letters/2', quick]);
    expect(mounts.map(({ name }) => name).sort()).toEqual(['a', 'input']);
    await refused(['run', '--data', 'letters/1', '--data', 'cats/1/output', quick], 2, [
      '--data letters/1:letters --data cats/1/output:cats',
    ]);
  });

  it('and a mount that would hide /output or /code is refused, by the server too', async () => {
    for (const name of ['output', 'code']) {
      await refused(['run', '--data', `letters:/${name}`, quick], 1, [`/${name} would be hidden`]);
      const client = await server.client();
      const body = { command: quick, mounts: [{ source: 'letters', name }] };
      await expect(
        client.call(jobRoutes.create, { params: { owner, project: 'cats' }, body }),
      ).rejects.toMatchObject({ code: 'bad_request' });
    }
  });
});

describe('a job is named as floyd named it', () => {
  it('by nothing, the newest of the folder; by a project, its newest; in full', async () => {
    const { number, name } = await run(['-m', 'the newest', quick]);
    for (const args of [['info'], ['info', 'cats'], ['info', `${owner}/projects/cats`], ['info', name]])
      expect(await server.json<Job>(args, { cwd: cats }), args.join(' ')).toMatchObject({ number });
    await server.ended({ owner, project: 'cats', number });
    for (const verb of ['logs', 'stop', 'status'])
      expect((await server.cli([verb, 'cats'])).stdout, verb).not.toBe('');
  });

  it('but what can not be undone wants its number', () => refused(['delete', 'cats', '-y'], 1, ['cats']));

  it('a project without jobs, or that is none, is told', async () => {
    await server.json(['init', 'empty'], { cwd: await server.project('empty') });
    await refused(['logs', 'empty'], 1, ['empty has no jobs yet']);
    await refused(['logs', 'cast'], 1, ['there is no project', 'cats']);
  });

  it('several are deleted at once; one that is not there keeps none of the others', async () => {
    const [a, b] = [await run([quick]), await run([quick])];
    for (const job of [a, b]) await server.ended(job);
    await refused(['delete', '-y', `cats/${a.number}`, 'cats/9999', `${b.number}`], 1, [
      '1 of 3',
      'cats/9999',
    ]);
    for (const job of [a, b]) await refused(['info', job.name], 1, [`no job ${job.name}`]);
  });

  it('its log, its files and its page have addresses', async () => {
    for (const [args, page] of [
      [['logs', '-u', '1'], 'cats/1/logs'],
      [['logs', '--url', 'cats/1'], 'cats/1/logs'],
      [['output', '-u', '1'], 'cats/1/files'],
      [['output', '1', '--url'], 'cats/1/files'],
    ] as const)
      expect((await server.cli([...args], { cwd: cats })).stdout).toBe(
        `${server.url}/${owner}/projects/${page}\n`,
      );
    const { stderr } = await server.cli(['run', '--open', quick], { cwd: cats });
    expect(stderr).toContain(`${server.url}/open/`);
    expect(stderr).toMatch(/to=%2F.*cats%2F\d+/);
    const quiet = await server.cli(['run', '--no-open', quick], { cwd: cats });
    expect(quiet.stderr).not.toContain('/open/');
  });
});

describe('flags that floyd had', () => {
  it('are taken in their old spellings', async () => {
    expect(
      await run(['--message', 'why', '--tensorboard', '-r', '90', '--gpu2', '--env', 'python3', quick]),
    ).toMatchObject({
      description: 'why',
      tensorboard: true,
      maxRuntimeSeconds: 90,
      machine: 'gpu2',
      environment: 'python3',
    });
    expect(await run(['--no-tensorboard', '--cpu+', quick])).toMatchObject({
      tensorboard: false,
      machine: 'cpu2',
    });
  });

  it('that go against each other are refused', async () => {
    await refused(['run', '--gpu', '--cpu', quick], 2, ['--gpu and --cpu', 'choose one']);
    await refused(['run', '--gpu', '--machine', 'cpu', quick], 2, ['--gpu and --machine cpu']);
    await refused(['run', '--env', 'python3', '--env', 'default', quick], 2, ['--env is given twice']);
    await refused(['run', '--max-runtime', 'soon', quick], 2, ['30m']);
  });

  it('of restart change what they name, and nothing else', async () => {
    const first = await run([
      '--data',
      'letters/1:a',
      '-m',
      'first',
      '--tensorboard',
      '--retries',
      '2',
      quick,
    ]);
    const again = (...args: string[]) =>
      server.json<Job>(['restart', String(first.number), ...args], { cwd: cats });
    const { command, description, tensorboard, retries, machine, environment, codeSnapshotId } = first;
    const same = { command, description, tensorboard, retries, machine, environment, codeSnapshotId };
    expect(await again()).toMatchObject({ ...same, mounts: first.mounts });
    expect(
      await again('--data', 'letters/2:b', '-m', 'second', '--env', 'python3', '--gpu', 'false'),
    ).toMatchObject({
      ...same,
      mounts: [{ name: 'b' }],
      description: 'second',
      environment: 'python3',
      machine: 'gpu',
      command: 'false',
    });
    expect(
      await again('--no-data', '--no-tensorboard', '--retries', '0', '--max-runtime', '60'),
    ).toMatchObject({
      ...same,
      mounts: [],
      tensorboard: false,
      retries: 0,
      maxRuntimeSeconds: 60,
    });
  });

  it('of restart also as floyd spelled them, and it opens the new job’s page', async () => {
    const first = await run([quick]);
    expect(await server.json<Job>(['restart', first.name, '--cpu+'])).toMatchObject({ machine: 'cpu2' });
    expect(await server.json<Job>(['restart', first.name, '--cpu'])).toMatchObject({ machine: 'cpu' });
    const shown = await server.cli(['restart', first.name, '--open']);
    expect(shown.stderr).toMatch(/\/open\/\S+to=%2F.*cats%2F\d+/);
    expect((await server.cli(['restart', first.name, '--no-open'])).stderr).not.toContain('/open/');
  });

  it('of login: a token by its old name, asked for, and a password where it may be seen', async () => {
    const { token } = await server.json<{ token: string }>(['token', 'create', 'mine']);
    const env = { XDG_CONFIG_HOME: path.join(server.folder, 'config-of-words') };
    const at = ['login', '--url', server.url];
    for (const [args, input] of [
      [['-k', token], ''],
      [['--apikey', token], ''],
      [['--token'], `${token}\n`],
    ] as const) {
      const { code, stderr } = await server.cli([...at, ...args], { env, input });
      expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining(owner) });
    }
    const wrong = await server.cli([...at, '-u', owner, '-p', 'not-this'], { env });
    expect(wrong.code).toBe(4);
  });
});

describe('mistakes that floyd let pass', () => {
  it('a name in capitals is answered with one that would do', async () => {
    await refused(['init', 'Cats_And_Dogs'], 1, ['"cats_and_dogs" would do'], server.folder);
    await refused(['data', 'init', 'Cats and Dogs'], 1, ['"cats-and-dogs" would do'], server.folder);
    await refused(['data', 'upload', 'LETTERS', '--dir', 'one'], 1, ['"letters" would do'], server.folder);
    await refused(['run', '--data', 'Letters:input', quick], 1, [`${owner}/datasets/letters`]);
  });

  it('a command that writes beside the code is told where to write', async () => {
    for (const [command, meant] of [
      ['python train.py --out output/model.h5', '/output/model.h5'],
      ['python train.py --out=./output/', '/output/'],
      ["cp a 'output/b c'", '/output/b'],
    ] as const) {
      const { stderr, code } = await server.cli(['run', command], { cwd: cats });
      expect(code).toBe(0);
      expect(stderr).toContain(`did you mean ${meant}?`);
    }
    const { stderr } = await server.cli(['run', 'ls /output/x my-output/y $OUT/output/z'], { cwd: cats });
    expect(stderr).not.toContain('did you mean');
  });

  it('a command that isn’t in quotes is told to be', () =>
    refused(['run', 'python', 'train.py', '--lr', '0.1'], 2, ["'--lr'", 'belongs into quotes']));

  it('a run without a command, or in a folder of no project, is told how', async () => {
    await refused(['run'], 2, ['say what to run', 'mycloud.yml']);
    await refused(['run', quick], 1, ['mycloud init'], server.folder);
  });
});

describe('a folder that floyd began', () => {
  let folder: string;
  beforeAll(async () => {
    folder = path.join(server.folder, 'old');
    await mkdir(folder);
    const wrote = (file: string, name: string) =>
      writeFile(
        path.join(folder, file),
        JSON.stringify({ name, namespace: 'sominw', family_id: 'hLkV8gGhgsTUyGFbfEvpPL' }),
      );
    await wrote('.floydexpt', 'First-ConvNet');
    await wrote('.floyddata', 'dogsvscats');
    await writeFile(path.join(folder, '.floydignore'), '*.secret\n');
    await writeFile(path.join(folder, 'a.secret'), 'hidden');
    await writeFile(path.join(folder, 'a.txt'), 'seen');
  });

  it('runs, in a project of that name which is made, and says so the first time', async () => {
    const first = await server.cli(['run', quick, '--json'], { cwd: folder });
    expect(first.stderr).toContain(
      `floyd began this folder as sominw/First-ConvNet; here it is ${owner}/projects/first-convnet, which was made`,
    );
    expect(JSON.parse(first.stdout)).toMatchObject({ project: 'first-convnet', number: 1 });
    const second = await server.cli(['run', quick, '--json'], { cwd: folder });
    expect(second.stderr).not.toContain('floyd began');
    expect(JSON.parse(second.stdout)).toMatchObject({ project: 'first-convnet', number: 2 });
    expect(await server.json<Job>(['info', '1'], { cwd: folder })).toMatchObject({
      project: 'first-convnet',
    });
  });

  it('uploads its dataset without being told the name, and heeds .floydignore', async () => {
    expect(await server.json(['data', 'upload', '-r'], { cwd: folder })).toMatchObject({
      name: `${owner}/datasets/dogsvscats/1`,
    });
    const { paths } = await server.json<{ paths: string[] }>(['data', 'listfiles', 'dogsvscats']);
    expect(paths).toContain('a.txt');
    expect(paths).not.toContain('a.secret');
    expect((await server.cli(['data', 'status'], { cwd: folder })).stdout).toContain('dogsvscats/1');
  });
});

it('a folder belongs to a project and a dataset, and init of one forgets not the other', async () => {
  const folder = path.join(server.folder, 'both');
  await mkdir(folder);
  await server.json(['init', 'both'], { cwd: folder });
  await server.json(['data', 'init', 'both-data'], { cwd: folder });
  await server.json(['init', 'both'], { cwd: folder });
  expect(JSON.parse(await readFile(path.join(folder, '.mycloud.json'), 'utf8'))).toEqual({
    project: `${owner}/both`,
    dataset: `${owner}/both-data`,
  });
  await refused(['data', 'upload'], 1, ['which dataset?', 'mycloud data init'], cats);
  const { stdout } = await server.cli(['data', 'status'], { cwd: cats });
  expect(stdout).toContain(`${owner}/datasets/letters`);
});
