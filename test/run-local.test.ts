import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { localRunners } from '../apps/worker/test/support/world.js';
import { carrying } from './support/processes.js';
import { wantProgram } from './support/require.js';
import { eventually, startServer, type TestServer } from './support/server.js';

const script = `
const fs = require('node:fs');
const { MYCLOUD_INPUT, MYCLOUD_OUTPUT, MYCLOUD_CODE, MYCLOUD_JOB, FLOYDHUB } = process.env;
console.log(fs.readFileSync(MYCLOUD_INPUT + '/cat.txt', 'utf8').trim(), MYCLOUD_JOB, FLOYDHUB, process.env.WORD);
console.log('in its code:', process.cwd() === fs.realpathSync(MYCLOUD_CODE));
fs.writeFileSync(MYCLOUD_OUTPUT + '/weights', 'w');
process.exit(Number(process.argv[2] ?? 0));
`;

let server: TestServer;
let nobody: Record<string, string>;
beforeAll(async () => {
  server = await startServer();
  nobody = { XDG_CONFIG_HOME: path.join(server.folder, 'nobody') };
});
afterAll(() => server?.remove());

/** A folder with code and pictures that belongs to no project. */
async function folder(name: string): Promise<string> {
  const cwd = path.join(server.folder, name);
  await mkdir(path.join(cwd, 'photos'), { recursive: true });
  await writeFile(path.join(cwd, 'train.cjs'), script);
  await writeFile(path.join(cwd, 'photos/cat.txt'), 'a cat');
  return cwd;
}

describe.each(localRunners)('a job here, without a server, by the %s runner', (runner) => {
  it('finds what it finds on a server, and ends as its command does', async () => {
    const cwd = await folder(`by-${runner}`);
    const args = ['run', '--local', '--runner', runner, '--data', './photos:input', '--var', 'WORD=yes'];
    const good = await server.cli([...args, 'node train.cjs'], { cwd, env: nobody });
    expect(good.stdout).toBe(`a cat local/by-${runner} 1 yes\nin its code: true\n`);
    expect(good.stderr).toMatch(
      /environment default, runner \w+\n[\s\S]*succeeded after .*; its output is in output\n/,
    );
    expect(good.code).toBe(0);
    expect(await readFile(path.join(cwd, 'output/weights'), 'utf8')).toBe('w');
    const bad = await server.cli([...args, 'node train.cjs 7'], { cwd, env: nobody });
    expect(bad.stderr).toMatch(/ended with 7 after .* output-2/);
    expect(bad.code).toBe(7);
    expect((await readdir(cwd)).sort()).toEqual(['output', 'output-2', 'photos', 'train.cjs']);
  });

  it('stops by Ctrl-C and after its longest time, with what it started', async () => {
    const cwd = await folder(`stops-${runner}`);
    const args = ['run', '--local', '--runner', runner, '--var', `MARK=${cwd}`];
    const child = server.start(
      [...args, "trap 'echo stopping; exit 3' TERM; echo ready; sleep 1000 & wait"],
      { cwd },
    );
    let out = '';
    child.stdout?.on('data', (bytes) => (out += bytes));
    await eventually('the job runs', async () => out.includes('ready'));
    child.kill('SIGTERM');
    const [code] = await once(child, 'close');
    expect(out).toMatch(/stopping/);
    expect(code).toBe(3);
    const late = await server.cli([...args, '--max-runtime', '1', 'sleep 1000'], { cwd });
    expect(late.stderr).toMatch(/stopped after 1 s/);
    expect(late.code).toBe(124);
    expect(carrying(`MARK=${cwd}`)).toEqual([]);
  });
});

describe('a job here', () => {
  it('gets a dataset of the server one is logged in to, downloaded once', async () => {
    const cwd = await folder('with-dataset');
    await server.json(['data', 'upload', 'cats', '--dir', path.join(cwd, 'photos')]);
    const args = ['run', '--local', '--data', 'cats:input', 'node train.cjs'];
    const first = await server.cli(args, { cwd });
    expect(first.stdout).toMatch(/^a cat /);
    expect(first.stderr).toMatch(/Downloading .*cats/);
    const second = await server.cli(args, { cwd });
    expect(second.stdout).toMatch(/^a cat /);
    expect(second.stderr).not.toMatch(/Downloading/);
  });

  it.runIf(wantProgram('python3'))('has the environments of a worker, built once and kept', async () => {
    const cwd = await folder('with-python');
    const args = ['run', '--local', '--env', 'python3', 'python -c "import sys; print(sys.prefix)"'];
    const first = await server.cli(args, { cwd, env: nobody });
    expect(first.stderr).toMatch(/building python3 with/);
    expect(first.stdout).toMatch(/local\/environments\/python-/);
    const second = await server.cli(args, { cwd, env: nobody });
    expect(second.stdout).toBe(first.stdout);
    expect(second.stderr).not.toMatch(/building/);
    await writeFile(path.join(cwd, 'requirements.txt'), '-r missing.txt\n');
    const broken = await server.cli(args, { cwd, env: nobody });
    expect(broken.stderr).toMatch(/^error: requirements\.txt names missing\.txt/m);
    expect(broken.code).toBe(1);
  });

  it.each([
    [['--data', './nowhere:input'], /there is no folder .*nowhere/, 1],
    [['--data', 'cats:input'], /you are not logged in/, 4],
    [['--data', './photos:etc'], /\/etc: \/etc would be hidden/, 1],
    [['--env', 'kears'], /there is no environment "kears"/, 1],
    [['--out', '.'], /is not empty, and a job begins with an empty/, 1],
    [['--sweep', 'a=1', '--tag', 'x'], /--sweep and --tag can't be asked for together with --local/, 2],
  ])('that can not be says why: %s', async (flags, says, exit) => {
    const cwd = await folder('wrong');
    const { code, stderr } = await server.cli(['run', '--local', ...flags, 'true'], { cwd, env: nobody });
    expect(stderr).toMatch(says);
    expect(code).toBe(exit);
    expect(existsSync(path.join(cwd, 'output'))).toBe(false);
  });
});
