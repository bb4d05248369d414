import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { drawDataset } from '@mycloud/trainer/draw';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startServer, type TestServer } from './support/server.js';

const run = promisify(execFile);
const root = path.resolve(import.meta.dirname, '..');

let base: string;
let tarball: string;
let files: string[];
let server: TestServer | undefined;

/** Somebody without a checkout: an empty home, an empty folder, and npm. The packages' bytes may come from npm's own cache. */
async function npm(args: string[]): Promise<{ stdout: string; stderr: string }> {
  const { stdout: cache } = await run('npm', ['config', 'get', 'cache']);
  const env = {
    PATH: process.env.PATH,
    HOME: path.join(base, 'home'),
    npm_config_cache: cache.trim(),
    npm_config_prefer_offline: 'true',
    npm_config_audit: 'false',
    npm_config_update_notifier: 'false',
  };
  return run('npm', args, { cwd: path.join(base, 'folder'), env });
}

beforeAll(async () => {
  base = await mkdtemp(path.join(os.tmpdir(), 'mycloud-package-'));
  for (const name of ['home', 'folder', 'out']) await mkdir(path.join(base, name));
  const packed = await run(process.execPath, ['scripts/pack.mjs', '--out', path.join(base, 'out')], {
    cwd: root,
  });
  tarball = packed.stdout.trim();
  files = (await run('tar', ['tzf', tarball], { maxBuffer: 2 ** 26 })).stdout.split('\n');
}, 300_000);

afterAll(async () => {
  await server?.remove();
  await rm(base, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
});

it('holds what runs in less than 30 MB, and no maps, tests or types', async () => {
  expect((await stat(tarball)).size).toBeLessThan(30e6);
  expect(files).toContain('package/bin/mycloud.mjs');
  expect(files).toContain('package/node_modules/@mycloud/web/dist/index.html');
  expect(
    files.filter((file) => /\.(map|d\.ts)$|package\/(node_modules\/@mycloud\/\w+\/)?test\//.test(file)),
  ).toEqual([]);
});

it('is not made where two versions of one package, or a package of one system, would have to go along', async () => {
  const closure = async (packages: object) => {
    const script = `import { closureOf } from './scripts/closure.mjs';
      console.log(JSON.stringify([...closureOf({ packages: ${JSON.stringify(packages)} }, ['apps/one', 'apps/two'], [])]))`;
    const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { cwd: root });
    return JSON.parse(stdout) as [string, string][];
  };
  const one = { dependencies: { tar: '1' } };
  const two = { dependencies: { tar: '2' } };
  const own = {
    'apps/one': one,
    'apps/two': {},
    'apps/one/node_modules/tar': { dependencies: { pax: '1' } },
  };
  expect(await closure({ ...own, 'node_modules/pax': {} })).toEqual([
    ['apps/one/node_modules/tar', 'node_modules/tar'],
    ['node_modules/pax', 'node_modules/pax'],
  ]);
  await expect(closure(own)).rejects.toThrow(/pax, which .* needs, is not in package-lock/);
  const both = { 'apps/one': one, 'apps/two': two, 'apps/one/node_modules/tar': {}, 'node_modules/tar': {} };
  await expect(closure(both)).rejects.toThrow(/two versions of one package/);
  const native = { optionalDependencies: { 'tar-linux': '1' } };
  const systems = {
    'apps/one': one,
    'apps/two': {},
    'node_modules/tar': native,
    'node_modules/tar-linux': { os: ['linux'] },
  };
  await expect(closure(systems)).rejects.toThrow(/brings a package for each system/);
});

it('installs into an empty home where npm runs no scripts, and runs by npx', async () => {
  await npm(['install', '--ignore-scripts', tarball]);
  const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
  const { stdout } = await npm(['exec', '--', 'mycloud', 'version']);
  expect(stdout).toContain(version);
}, 300_000);

it('serves, trains from the template, shows logs and page, and gives the output back', async () => {
  const program = path.join(base, 'folder/node_modules/mycloud/bin/mycloud.mjs');
  server = await startServer({ program });
  expect((await fetch(server.url)).status).toBe(200);
  const pictures = path.join(server.folder, 'pictures');
  await drawDataset(pictures, { train: 16, val: 16, seed: 3 });
  await server.json(['data', 'upload', 'dogsvscats', '--dir', pictures]);
  const project = path.join(server.folder, 'convnet');
  await mkdir(project);
  const init = await server.cli(['init', 'dogsvscats', '--template', 'dogsvscats'], { cwd: project });
  expect(init.code, init.stderr).toBe(0);
  const script = path.join(project, 'very_little_data.ts');
  let text = await readFile(script, 'utf8');
  // The tutorial takes 2,000 photographs of 150 × 150 pixels.
  for (const [full, small] of [
    ['[150, 150]', '[40, 40]'],
    ['trainSamples = 2000', 'trainSamples = 16'],
    ['validationSamples = 400', 'validationSamples = 16'],
    ['batchSize = 32', 'batchSize = 8'],
  ] as const) {
    expect(text).toContain(full);
    text = text.replace(full, small);
  }
  await writeFile(script, text);
  const command = 'train very_little_data.ts --epochs 1 --logdir /output/Graph';
  const done = await server.cli(
    ['run', '--data', 'dogsvscats/1:input', '--follow', '--exit-status', command],
    { cwd: project },
  );
  expect(done.code, done.stdout + done.stderr).toBe(0);
  expect((await server.cli(['logs', '1'], { cwd: project })).stdout).toMatch(/"metric":\s*"val_acc"/);
  const output = await server.cli(['output', '1', '-o', 'results'], { cwd: project });
  expect(output.code, output.stderr).toBe(0);
  expect(await readdir(path.join(project, 'results/Graph'), { recursive: true })).not.toEqual([]);
  const doctor = await server.cli(['doctor'], { cwd: project });
  expect(doctor.stdout).toContain('embedded');
  expect(doctor.code, doctor.stdout + doctor.stderr).toBe(0);
}, 300_000);
