import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Job, Version } from '@mycloud/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, startServer, type TestServer } from './support/server.js';

/** Two metrics that get better and then worse, a file and a folder in /output. */
const training = `
printf '{"metric":"val_acc","value":0.7,"epoch":1}\\n{"metric":"val_acc","value":0.6,"epoch":2}\\n'
printf '{"metric":"loss","value":0.2,"epoch":1}\\n'
mkdir -p "$MYCLOUD_OUTPUT/models/deep"; echo w > "$MYCLOUD_OUTPUT/models/deep/w.h5"; echo t > "$MYCLOUD_OUTPUT/top.txt"
`;

let server: TestServer;
let owner: string;
let cats: string;
let here: string;
beforeAll(async () => {
  // Nothing here offers gpu2: what waits for it waits.
  server = await startServer({ env: { MYCLOUD_WORKER_MACHINES: 'cpu,cpu2,gpu' } });
  cats = await server.project('cats', { 'train.sh': training });
  await mkdir(path.join(cats, 'lib'));
  await writeFile(path.join(cats, 'lib/tools.py'), 'tools');
  await mkdir(path.join(server.folder, 'letters/deep'), { recursive: true });
  await writeFile(path.join(server.folder, 'letters/a.txt'), 'a');
  await writeFile(path.join(server.folder, 'letters/deep/b.txt'), 'b');
  await server.json(['data', 'upload', 'letters', '--dir', 'letters']);
  const first = await run('--data', 'letters/1:input', 'sh train.sh --lr 0.1');
  owner = first.owner;
  await writeFile(path.join(cats, 'train.sh'), `${training}# changed\n`);
  const second = await run('--data', 'letters/1:input', '--cpu2', '--tag', 'try', 'sh train.sh --lr 0.2');
  for (const job of [first, second]) expect(await server.ended(job)).toMatchObject({ status: 'succeeded' });
  here = path.join(server.folder, 'here');
  await mkdir(here);
});
afterAll(() => server?.remove());

const run = (...args: string[]) => server.json<Job>(['run', ...args], { cwd: cats });
const said = async (args: string[], cwd = cats) => {
  const { code, stdout, stderr } = await server.cli(args, { cwd });
  expect(stderr).not.toMatch(/\n {4}at /);
  return { code, stdout, stderr };
};
const text = (...parts: string[]) => readFile(path.join(here, ...parts), 'utf8');

describe('why', () => {
  it('a job waits: its place, who could take it, what to do', async () => {
    const first = await run('--gpu2', 'true');
    const second = await run('--gpu2', 'true');
    const answer = await server.json<{ place: number; why: string[]; next: string[] }>(['why', second.name]);
    expect(answer).toMatchObject({ place: 2, why: [expect.stringContaining('gpu2')] });
    const { stdout } = await said(['why']);
    expect(stdout).toContain(`${second.name}: queued`);
    expect(stdout).toMatch(/No worker takes jobs for gpu2/);
    expect(stdout).toContain(`mycloud restart ${second.name} --machine`);
    for (const job of [first, second]) await server.json(['stop', job.name]);
  });

  it('a job died: the reason, its last lines, what to do', async () => {
    const died = await server.ended(await run('echo Traceback: no such layer; exit 3'));
    const { stdout, code } = await said(['why', `cats/${died.number}`]);
    expect(code).toBe(0);
    expect(stdout).toContain('exited with 3');
    expect(stdout).toContain('Traceback: no such layer');
    expect(stdout).toContain(`mycloud restart ${died.name}`);
    const late = await server.ended(await run('--max-runtime', '1', 'sleep 60'));
    expect((await said(['why', late.name])).stdout).toContain('--max-runtime none');
  });

  it('it runs, or went well', async () => {
    const long = await run('sleep 600');
    await eventually('it runs', async () => {
      const { status } = await server.json<Job>(['info', long.name]);
      return status === 'running';
    });
    expect((await said(['why', long.name])).stdout).toContain(`mycloud logs -f ${long.name}`);
    await server.json(['stop', long.name]);
    expect((await said(['why', '1'])).stdout).toContain(`mycloud output ${owner}/projects/cats/1`);
  });
});

describe('compare', () => {
  interface Compared {
    rows: { title: string; cells: unknown[]; best?: number[] }[];
  }

  it('shows what differs and nothing else: a flag, the code, settings, metrics last and best', async () => {
    const { rows } = await server.json<Compared>(['compare', 'cats/1', 'cats/2']);
    const row = (title: string) => rows.find((one) => one.title === title);
    expect(row('--lr')?.cells).toEqual(['0.1', '0.2']);
    expect(new Set(row('code')?.cells).size).toBe(2);
    expect(row('machine')?.cells).toEqual(['cpu', 'cpu2']);
    expect(row('tags')?.cells).toEqual([null, 'try']);
    for (const same of ['command', 'environment', '/input', 'status', 'val_acc, last'])
      expect(row(same), same).toBeUndefined();
    const { stdout, stderr } = await said(['compare', '1', '2']);
    expect(stdout).toMatch(/^--lr +0\.1 +0\.2$/m);
    expect(stderr).toContain(`mycloud diff ${owner}/projects/cats/1 ${owner}/projects/cats/2`);
  });

  it('all of it, with the version of each dataset and which is best', async () => {
    const other = await server.ended(
      await run('--data', 'letters/1:test', `printf '{"metric":"val_acc","value":0.9}\\n'`),
    );
    const { rows } = await server.json<Compared>(['compare', '--all', '1', other.name], { cwd: cats });
    const row = (title: string) => rows.find((one) => one.title === title);
    expect(row('/input')?.cells).toEqual([`${owner}/datasets/letters/1`, null]);
    expect(row('/test')?.cells).toEqual([null, `${owner}/datasets/letters/1`]);
    expect(row('val_acc, last')).toMatchObject({ cells: [0.6, 0.9], best: [1] });
    expect(row('val_acc, best')).toMatchObject({ cells: [0.7, 0.9], best: [1] });
    expect(row('environment')?.cells).toEqual(['default', 'default']);
  });

  it('a job with itself differs in nothing', async () => {
    expect((await said(['compare', '1', '1'])).stdout).toContain('nothing differs');
  });
});

describe('clone', () => {
  it('brings the code as it ran, in a folder that runs again', async () => {
    const answer = await server.json<{ dir: string }>(['clone', 'cats/1'], { cwd: here });
    expect(path.basename(answer.dir)).toBe('cats-1');
    expect(await text('cats-1/train.sh')).toBe(training);
    expect(await text('cats-1/lib/tools.py')).toBe('tools');
    expect(await server.json<Job>(['run', 'true'], { cwd: answer.dir })).toMatchObject({ project: 'cats' });
  });

  it('or a part of it, where one says', async () => {
    await server.json(['clone', 'cats/2', 'part', '-p', 'lib'], { cwd: here });
    expect((await readdir(path.join(here, 'part'))).sort()).toEqual(['.mycloud.json', 'lib']);
    await server.json(['clone', 'cats/2', 'other', '--path', 'lib/tools.py'], { cwd: here });
    expect(await text('other/lib/tools.py')).toBe('tools');
    const { code, stderr } = await said(['clone', 'cats/2', 'none', '--path', 'nix'], here);
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('there is no nix') });
  });
});

describe('cp', () => {
  it.each([
    ['a file under another name', 'cats/1:/output/top.txt', 'copy.txt', 'copy.txt', 't\n'],
    ['a file into a folder', 'cats/1:/output/top.txt', 'new/', 'new/top.txt', 't\n'],
    ['a folder under its own name', 'cats/1:/output/models', '.', 'models/deep/w.h5', 'w\n'],
    ['a folder under another', 'cats/1:/output/models/deep', 'deeper', 'deeper/w.h5', 'w\n'],
    ['all of the output', 'cats/1:/output', 'all', 'all/top.txt', 't\n'],
    ['the code', 'cats/1:/code/lib', 'code-lib', 'code-lib/tools.py', 'tools'],
    ['what it had mounted', 'OWNER/projects/cats/1:/input/a.txt', 'mounted.txt', 'mounted.txt', 'a'],
    ['out of a dataset', 'letters/1:/deep/b.txt', 'from-data.txt', 'from-data.txt', 'b'],
    ['a whole version', 'OWNER/datasets/letters/1:/', 'letters-1/', 'letters-1/letters/a.txt', 'a'],
  ])('%s', async (_, from, to, at, holds) => {
    await server.json(['cp', from.replace('OWNER', owner), to], { cwd: here });
    expect(await text(at)).toBe(holds);
    // Nothing is left of how it came here.
    expect((await readdir(here)).filter((name) => name.startsWith('.mycloud-partial'))).toEqual([]);
  });

  it('what is not there is told, with what there is', async () => {
    const nix = await said(['cp', 'cats/1:/output/nix', '.'], here);
    expect(nix).toMatchObject({ code: 1, stderr: expect.stringContaining('there is no nix') });
    const mount = await said(['cp', `${owner}/projects/cats/1:/data/x`, '.'], here);
    expect(mount).toMatchObject({ code: 1, stderr: expect.stringContaining('/code, /output, /input') });
    expect(await said(['cp', 'a', 'b'], here)).toMatchObject({ code: 2 });
    expect(await said(['cp', 'letters/1:/a.txt', 'letters:/b.txt'], here)).toMatchObject({ code: 2 });
  });

  it('into a dataset it makes the next version of what was there and what is new', async () => {
    await server.json(['data', 'upload', 'growing', '--dir', 'letters']);
    await writeFile(path.join(here, 'c.txt'), 'c');
    const second = await server.json<Version>(['cp', 'c.txt', 'growing:/deep/', '-m', 'more'], { cwd: here });
    expect(second).toMatchObject({ number: 2, files: 3, message: 'more' });
    await mkdir(path.join(here, 'folder'), { recursive: true });
    await writeFile(path.join(here, 'folder/d.txt'), 'd');
    expect(await server.json(['cp', 'folder', 'growing:/'], { cwd: here })).toMatchObject({ files: 4 });
    expect((await said(['data', 'listfiles', 'growing'])).stdout.split('\n')).toEqual([
      'a.txt',
      'deep/',
      'deep/b.txt',
      'deep/c.txt',
      'folder/',
      'folder/d.txt',
      '',
    ]);
    expect(await said(['cp', 'c.txt', 'growing/1:/x'], here)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("versions don't change"),
    });
    expect(await said(['cp', 'c.txt', 'growing:/a.txt/x'], here)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('not a folder'),
    });
  });
});

describe('data, by floyd’s words', () => {
  it('getfile saves one file under its own name, of a dataset or an output', async () => {
    await server.json(['data', 'getfile', 'letters/1', 'deep/b.txt'], { cwd: here });
    expect(await text('b.txt')).toBe('b');
    await server.json(['data', 'getfile', `${owner}/projects/cats/1/output`, 'models/deep/w.h5'], {
      cwd: here,
    });
    expect(await text('w.h5')).toBe('w\n');
    expect(await said(['data', 'getfile', 'letters/1', 'deep'], here)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('is a folder'),
    });
  });

  it('clone brings a dataset, an output, or a part', async () => {
    await server.json(['data', 'clone', 'letters/1'], { cwd: here });
    expect(await text('letters/deep/b.txt')).toBe('b');
    await server.json(['data', 'clone', 'cats/1/output'], { cwd: here });
    expect(await text('cats-1-output/top.txt')).toBe('t\n');
    await server.json(['data', 'clone', 'letters/1', 'some', '-p', 'deep'], { cwd: here });
    expect(await readdir(path.join(here, 'some'))).toEqual(['deep']);
    await rm(path.join(here, 'some'), { recursive: true });
    await server.json(['data', 'clone', 'cats/1/output', 'some', '--path', 'models'], { cwd: here });
    expect(await readdir(path.join(here, 'some'))).toEqual(['models']);
  });

  it('status, files and output show a version', async () => {
    expect((await said(['data', 'status', 'letters/1'])).stdout).toContain('letters/1');
    expect((await said(['data', 'files', 'cats/1/output'])).stdout).toContain('models/');
    expect((await said(['data', 'output', '-u', 'letters/1'])).stdout).toBe(
      `${server.url}/${owner}/datasets/letters/1\n`,
    );
    expect((await said(['data', 'output', 'cats/1/output', '--url'])).stdout).toContain('/cats/1/files');
  });

  it('add makes a dataset of an output, and delete takes several', async () => {
    expect(await server.json(['data', 'add', `${owner}/projects/cats/1/output`, 'models'])).toMatchObject({
      number: 1,
    });
    await server.json(['data', 'add', 'cats/2', 'models']);
    await server.json(['data', 'init', 'unused'], { cwd: here });
    const { code, stderr } = await said(['data', 'delete', '-y', 'models/1', 'models/7', 'unused']);
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining('models/7') });
    expect((await said(['data', 'status', 'models'])).stdout).not.toContain('models/1 ');
    expect(await said(['data', 'status', 'unused'])).toMatchObject({ code: 1 });
  });
});

it('upgrade compares with the server and says how', async () => {
  const answer = await server.json<{ version: string; server: string }>(['upgrade']);
  expect(answer.server).toBe(answer.version);
  expect((await said(['upgrade'])).stdout).toContain('git pull');
});
