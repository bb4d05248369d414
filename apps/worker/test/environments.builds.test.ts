import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BuiltEnvironment, Environment } from '@mycloud/shared';
import { uploadFolder } from '@mycloud/snapshots';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { carrying } from '../../../test/support/processes.js';
import { wantProgram } from '../../../test/support/require.js';
import type { Attempt } from './support/fake-api.js';
import {
  Index,
  indexVariables,
  searchPath,
  startSilentIndex,
  writePackage,
} from './support/package-index.js';
import { jobLines, until, World } from './support/world.js';

const hasPython = Boolean(wantProgram('python3'));
const uv = wantProgram('uv');

const environment = (requirements: string[], more: Partial<Environment> = {}): Environment => ({
  name: 'lab',
  description: '',
  interpreter: 'python',
  requirements,
  ...more,
});
const said = (attempt: Attempt): string =>
  attempt.lines
    .filter((line) => line.source === 'system')
    .map((line) => line.text)
    .join('\n');
const builtIn = (world: World): string[] =>
  readdirSync(path.join(world.home, 'environments')).filter((name) => name.startsWith('python-'));

describe.runIf(hasPython)('an environment of a worker', { timeout: 120_000 }, () => {
  let world: World;
  let folder: string;
  let index: Index;
  beforeAll(async () => {
    world = await World.open();
    folder = mkdtempSync(path.join(tmpdir(), 'environments-test-'));
    index = await Index.start(path.join(folder, 'wheels'));
    index.add('cats', '1.0');
    index.add('cats', '2.0');
    index.add('dogs', '1.0', ['cats<2']);
    await world.start('process', {
      MYCLOUD_SLOTS: '8',
      PATH: searchPath(folder),
      ...index.variables,
    });
  });
  afterAll(async () => {
    await world?.close();
    await index?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Code of these files, or what `write` puts into its folder. */
  const code = async (files: Record<string, string>, write?: (dir: string) => void) => {
    const dir = mkdtempSync(path.join(folder, 'code-'));
    for (const [name, text] of Object.entries(files)) writeFileSync(path.join(dir, name), text);
    write?.(dir);
    const saved = await uploadFolder({ client: world.api.snapshots.client, dir });
    return { snapshotId: saved.snapshotId, snapshot: saved.hash };
  };

  it('is built for the first job, serves the second at once, and is told of by heartbeat', async () => {
    const job = { environment: environment(['cats==2.0']) };
    const command = 'python -c "import cats; print(cats.version)"';
    const first = await world.finished(world.submit(command, job), 60);
    expect(jobLines(first)).toEqual(['2.0']);
    expect(said(first)).toMatch(/building lab with .*[\s\S]*\nbuilt in [\d.]+ s, \d+ MB/);
    const second = await world.finished(world.submit(command, job));
    expect(jobLines(second)).toEqual(['2.0']);
    expect(said(second)).not.toMatch(/building/);
    const isTold = (one: BuiltEnvironment) => one.environment === 'lab' && !one.inUse;
    const built = await until(() => world.api.built.find(isTold), 'the heartbeat');
    expect(built.packages).toEqual(['cats==2.0']);
    expect(built.bytes).toBeGreaterThan(100_000);
  });

  it('has the code’s own requirements on top, and finds where the two contradict each other', async () => {
    const job = {
      environment: environment(['cats==1.0']),
      code: await code({ 'requirements.txt': 'dogs # both\n' }),
    };
    const both = await world.finished(
      world.submit('python -c "import cats, dogs; print(cats.version, dogs.version)"', job),
      60,
    );
    expect(jobLines(both)).toEqual(['1.0 1.0']);
    const against = { ...job, environment: environment(['cats==2.0']) };
    const attempt = await world.finished(world.submit('true', against), 60);
    expect(attempt.finish).toMatchObject({ reason: 'environment_failed' });
    expect(attempt.finish?.detail).toMatch(
      /^the requirements contradict each other: .*cats.*dogs|dogs.*cats/,
    );
  });

  it.each([
    ['mice', /^there is no package mice for this worker's Python/],
    ['cats==9', /^there is no cats==9 for this worker's Python; there is .*2\.0$/],
    ['-r more.txt', /names more\.txt, which isn't in the code/],
  ])('that can not be had is an end that says so: %s', async (line, says) => {
    const before = builtIn(world);
    const job = { environment: environment([]), code: await code({ 'requirements.txt': `${line}\n` }) };
    const attempt = await world.finished(world.submit('true', job), 60);
    expect(attempt.finish?.reason).toBe('environment_failed');
    expect(attempt.finish?.detail).toMatch(says);
    expect(builtIn(world)).toEqual(before);
  });

  it('holds packages to their hashes', async () => {
    const hash = index.add('birds', '1.0');
    const right = {
      environment: environment([]),
      code: await code({ 'requirements.txt': `birds==1.0 \\\n  --hash=sha256:${hash}\n` }),
    };
    const good = await world.finished(
      world.submit('python -c "import birds; print(birds.version)"', right),
      60,
    );
    expect(jobLines(good)).toEqual(['1.0']);
    const wrong = {
      ...right,
      code: await code({ 'requirements.txt': `birds==1.0 --hash=sha256:${'0'.repeat(64)}\n` }),
    };
    const bad = await world.finished(world.submit('true', wrong), 60);
    expect(bad.finish?.detail).toMatch(/^birds.* does not match its hash/);
  });

  it('takes in the code itself as a layer: a changed script builds that alone', async () => {
    const files = { 'requirements.txt': '-e .\ncats==2.0\n' };
    const command = 'cd / && python -c "import animals, cats; print(animals.word, cats.version)"';
    const first = await code(files, (dir) => writePackage(dir, 'animals'));
    const job = { environment: environment([]), code: first };
    expect(jobLines(await world.finished(world.submit(command, job), 60))).toEqual(['of the code 2.0']);
    const changed = await code({ ...files, 'new.py': '' }, (dir) => writePackage(dir, 'animals'));
    const again = await world.finished(world.submit(command, { ...job, code: changed }), 60);
    expect(jobLines(again)).toEqual(['of the code 2.0']);
    expect(said(again)).not.toMatch(/cats-2\.0/);
  });

  it('whose package does not compile says which and why', async () => {
    const broken = await code({ 'requirements.txt': './broken\n' }, (dir) =>
      writePackage(path.join(dir, 'broken'), 'broken', 'there is no libcats'),
    );
    const attempt = await world.finished(
      world.submit('true', { environment: environment([]), code: broken }),
      60,
    );
    expect(attempt.finish?.detail).toMatch(/broken.*compiling it failed: RuntimeError: there is no libcats/);
  });

  it('that names an interpreter is that one, with further packages on top', async () => {
    const own = await world.finished(
      world.submit('python -c "import sys; print(sys.prefix)"', { environment: environment(['cats==2.0']) }),
    );
    const prefix = jobLines(own)[0]!;
    const named = environment([], { name: 'conda', python: `${prefix}/bin/python` });
    const command = 'python -c "import sys, cats; print(sys.prefix, cats.version)"';
    const asItIs = await world.finished(world.submit(command, { environment: named }));
    expect(jobLines(asItIs)).toEqual([`${prefix} 2.0`]);
    const job = { environment: named, code: await code({ 'requirements.txt': 'birds\n' }) };
    const more = await world.finished(
      world.submit('python -c "import cats, birds; print(cats.version, birds.version)"', job),
      60,
    );
    expect(jobLines(more)).toEqual(['2.0 1.0']);
    const gone = environment([], { name: 'conda', python: '/opt/nowhere/bin/python' });
    const missing = await world.finished(world.submit('true', { environment: gone }));
    expect(missing.finish?.detail).toBe(
      'conda is /opt/nowhere/bin/python, and there is no Python on this worker',
    );
  });

  it('for a Python that is not here says which are', async () => {
    const old = environment([], { name: 'old', pythonVersions: ['3.2'] });
    const attempt = await world.finished(world.submit('true', { environment: old }), 60);
    expect(attempt.finish?.detail).toMatch(
      /^old wants Python 3\.2, and this worker has Python 3\.\d+.* only: install it/,
    );
  });

  /** A job lets go of its environment a moment after its end is told: until then the order is refused. */
  const removed = (id: string) =>
    until(async () => {
      world.api.command({ type: 'remove_environment', id });
      await sleep(500);
      return !world.api.built.some((one) => one.id === id);
    }, `${id} to be removed`);

  it('is removed by an order, and not while a job uses it', async () => {
    await world.finished(world.submit('true', { environment: environment(['cats==2.0']) }), 60);
    const job = { environment: environment(['cats==1.0']) };
    const busy = world.submit('echo ready; sleep 1000', job);
    await world.line(busy, 'ready');
    const built = await until(
      () => world.api.built.find((one) => one.packages.join() === 'cats==1.0' && one.inUse),
      'the heartbeat to tell that it is in use',
    );
    const dir = path.join(world.home, 'environments', built.id);
    world.api.command({ type: 'remove_environment', id: built.id });
    const other = world.api.built.find((one) => one.packages.join() === 'cats==2.0')!;
    await removed(other.id);
    expect(existsSync(dir)).toBe(true);
    world.stopJob(busy);
    await world.finished(busy);
    await removed(built.id);
    expect(existsSync(dir)).toBe(false);
  });
});

describe.runIf(hasPython)('a build of an environment', { timeout: 120_000 }, () => {
  let world: World;
  let folder: string;
  let index: Index;
  let silent: Awaited<ReturnType<typeof startSilentIndex>>;
  const start = (variables: Record<string, string>, withUv?: string) =>
    world.start('process', { MYCLOUD_SLOTS: '4', PATH: searchPath(folder, withUv), ...variables });
  const run = (requirements: string[], command = 'true') =>
    world.finished(world.submit(command, { environment: environment(requirements) }), 60);
  const programs = () => carrying(`MYCLOUD_BUILD=${world.home}`);
  beforeEach(async () => {
    world = await World.open();
    folder = mkdtempSync(path.join(tmpdir(), 'environments-test-'));
    index = await Index.start(path.join(folder, 'wheels'));
    silent = await startSilentIndex();
  });
  afterEach(async () => {
    await silent.close();
    await world.close();
    await index.close();
    rmSync(folder, { recursive: true });
  });

  it('goes on for the second job when the first that asked for it is stopped, and no longer', async () => {
    await start(indexVariables(silent.url));
    const job = { environment: environment(['cats']) };
    const first = world.submit('true', job);
    await until(() => silent.asked() > 0, 'the build to ask the index');
    const second = world.submit('true', job);
    const waits = 'lab (cats) is being built for another job; waiting for it';
    await until(() => world.attempt(second)?.lines.some(({ text }) => text === waits), 'the second to wait');
    world.stopJob(first);
    expect((await world.finished(first)).finish?.reason).toBe('stopped_by_user');
    expect(programs().length).toBeGreaterThan(0);
    world.stopJob(second);
    expect((await world.finished(second)).finish?.reason).toBe('stopped_by_user');
    await until(() => programs().length === 0, 'the build to be given up');
    await until(() => builtIn(world).length === 0, 'what it made to be removed');
  });

  it('that is killed with its worker leaves nothing, and is begun anew by the next', async () => {
    index.add('cats', '1.0');
    const worker = await start(indexVariables(silent.url));
    const command = 'python -c "import cats; print(cats.version)"';
    const jobId = world.submit(command, { environment: environment(['cats']) });
    await until(() => silent.asked() > 0, 'the build to ask the index');
    const left = programs();
    expect(left.length).toBeGreaterThan(0);
    await worker.crash();
    await start(index.variables);
    expect(left.filter((pid) => programs().includes(pid))).toEqual([]);
    expect(jobLines(await world.finished(jobId, 60))).toEqual(['1.0']);
    const whole = [expect.stringMatching(/^python-\w+$/), expect.stringMatching(/^python-\w+\.json$/)];
    expect(builtIn(world).sort()).toEqual(whole);
  });

  it('says that the worker is offline where no index answers', async () => {
    await start(indexVariables('http://127.0.0.1:9/simple'));
    expect((await run(['cats'])).finish).toMatchObject({
      reason: 'environment_failed',
      detail: "this worker is offline, or its package index can't be reached (127.0.0.1)",
    });
  });

  it('makes room by what was used longest ago, and keeps what runs', async () => {
    for (const name of ['cats', 'dogs', 'birds']) index.add(name, '1.0');
    // Less than two of them take.
    await start({ MYCLOUD_ENVIRONMENT_BYTES: '20000000', ...index.variables });
    const busy = world.submit('echo ready; sleep 1000', { environment: environment(['cats']) });
    await until(() => world.attempt(busy)?.lines.some(({ text }) => text === 'ready'), 'the first', 60);
    await run(['dogs']);
    await run(['birds']);
    await until(() => world.api.built.some(({ packages }) => packages[0] === 'birds'), 'the heartbeat');
    expect(world.api.built.flatMap(({ packages }) => packages).sort()).toEqual(['birds', 'cats']);
  });

  it.runIf(uv)('is left to uv where it is there, whose failures are told in a sentence too', async () => {
    index.add('cats', '1.0');
    index.add('cats', '2.0');
    index.add('dogs', '1.0', ['cats<2']);
    await start(index.variables, uv);
    const good = await run(
      ['cats'],
      'python -c "import cats; print(cats.version)"; python -m pip --version | cut -c1-3',
    );
    expect(said(good)).toMatch(/building lab with uv/);
    expect(jobLines(good)).toEqual(['2.0', 'pip']);
    const why = async (...requirements: string[]) => (await run(requirements)).finish?.detail;
    expect(await why('mice')).toMatch(/^there is no such package: mice/);
    expect(await why('cats==9')).toMatch(/^there is no such package: there is no version of cats==9/);
    expect(await why('cats==2.0', 'dogs')).toMatch(/^the requirements contradict each other: .*dogs/);
  });
});
