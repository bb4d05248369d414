import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { datasetRoutes, jobRoutes, teamRoutes } from '@mycloud/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FloydUser, floydProgram, floydUser, tokenOf } from '../support/floyd.js';
import { eventually, startServer, type TestServer } from '../support/server.js';

/** Its output stands beside the marker of its end, so that nothing is missed of either. */
const train = `import os
print('trained on', sorted(os.listdir('/input')) if os.path.isdir('/input') else 'nothing')
os.makedirs('/output/models/one')
open('/output/models/one/w.txt', 'w').write('w')
open('/output/top.txt', 'w').write('top')
`;
const wait = `import time
print('it runs', flush=True)
time.sleep(600)
`;

describe.skipIf(!floydProgram)('the commands of the old floyd', () => {
  let server: TestServer;
  let user: FloydUser;
  let owner: string;
  let project: string;
  let data: string;
  const ok = { code: 0 };

  beforeAll(async () => {
    server = await startServer();
    user = await floydUser(server);
    await user.floyd(['login', '-k', await tokenOf(server)]);
    owner = JSON.parse(await readFile(path.join(user.home, '.floydconfig'), 'utf8')).username;
    project = await user.folder('code', { 'train.py': train, 'wait.py': wait });
    await mkdir(path.join(project, 'lib2'));
    await writeFile(path.join(project, 'lib2/ünder "quoted".py'), 'x = 1\n');
    await user.floyd(['init', 'cats'], project);
    data = await user.folder('data', { 'a.txt': 'a' });
  });
  afterAll(() => server?.remove());

  const run = (...args: string[]) => user.floyd(['run', '--env', 'python3', ...args], project);

  it('init: a project needs no page to be made, and a name that can’t be one is said', async () => {
    const bad = await user.floyd(['init', 'Cats'], await user.folder('bad'));
    expect(bad.code).toBe(1);
    expect(bad.stderr).toContain('use lower-case letters');
    const others = await user.floyd(['init', 'nobody/cats'], await user.folder('others'));
    expect(others.code).toBe(1);
    expect(others.stderr).toContain('there is no project nobody/projects/cats');
    // What only reads makes nothing.
    const { items } = await server.json<{ items: { name: string }[] }>(['status']);
    expect(items).toEqual([]);
  });

  it('init TEAM/NAME: the first job and the first upload make a team’s project and dataset', async () => {
    const client = await server.client();
    await client.call(teamRoutes.create, { body: { name: 'vision' } });
    const code = await user.folder('team-code', { 'a.py': 'print(1)\n' });
    expect(await user.floyd(['init', 'vision/birds'], code)).toMatchObject(ok);
    const run = await user.floyd(['run', '--env', 'python3', '-f', 'python a.py'], code);
    expect(run, run.stderr).toMatchObject(ok);
    const at = { owner: 'vision', project: 'birds', number: 1 };
    expect((await client.call(jobRoutes.get, { params: at })).status).toBe('succeeded');
    const pictures = await user.folder('team-data', { 'a.txt': 'a' });
    expect(await user.here(['data', 'init', 'vision/birds'], pictures)).toMatchObject(ok);
    const uploaded = await user.here(['data', 'upload'], pictures);
    expect(uploaded, uploaded.stderr).toMatchObject(ok);
    const version = { owner: 'vision', dataset: 'birds', number: 1 };
    expect((await client.call(datasetRoutes.version, { params: version })).files).toBe(1);
  });

  it('run: without init, without a command, with what isn’t there, it says what is wrong', async () => {
    expect((await user.floyd(['run', 'true'])).code).not.toBe(0);
    const empty = await run();
    expect(empty.code).toBe(1);
    expect(empty.stderr).toContain('say what to run');
    const environment = await user.floyd(['run', '--env', 'nope', 'true'], project);
    expect(environment.code).toBe(3);
    expect(environment.stderr + environment.stdout).toContain('nope is not in the list');
    const missing = await run('--data', 'nope/1:input', 'true');
    expect(missing.stderr + missing.stdout).toContain('Data not found for name: nope/1');
  });

  it('data init, upload, status: by the program of the documentation', async () => {
    const uninitialised = await user.here(['data', 'upload'], data);
    expect(uninitialised.code).not.toBe(0);
    expect(await user.here(['data', 'init', 'pets'], data)).toMatchObject(ok);
    const uploaded = await user.here(['data', 'upload'], data);
    expect(uploaded, uploaded.stderr).toMatchObject(ok);
    expect(uploaded.stdout).toContain(`${owner}/datasets/pets/1`);
    expect((await user.floyd(['data', 'status', 'pets/1'])).stdout).toMatch(/pets\/1 .* valid .* 1 B/);
    expect((await user.floyd(['data', 'status', 'pets/7'])).stdout).toContain('ERROR');
    const link = await user.here(['data', 'output', '-u', 'pets/1'], data);
    expect(link.stdout.trim()).toBe(`${server.url}/${owner}/datasets/pets/1`);
  });

  it('run -f: the code comes as it was, the job runs, and its end is told', async () => {
    const ran = await run('--data', 'pets/1:input', '--cpu2', '-m', 'with pets', '-f', 'python train.py');
    expect(ran, ran.stderr).toMatchObject(ok);
    expect(ran.stdout).toContain("trained on ['a.txt']");
    expect(ran.stdout.trimEnd().endsWith('[success] Finished execution')).toBe(true);
    const info = await user.floyd(['info', 'cats/1'], project);
    expect(info.stdout).toMatch(/Instance\s+c2/);
    expect(info.stdout).toMatch(/Description\s+with pets/);
  });

  it('clone: gives the code back, or a folder of it', async () => {
    const into = await user.folder('cloned');
    expect(await user.floyd(['clone', 'cats/1'], into)).toMatchObject(ok);
    const names = (await readdir(into, { recursive: true })).sort();
    expect(names).toEqual((await readdir(project, { recursive: true })).sort());
    expect(await readFile(path.join(into, 'lib2/ünder "quoted".py'), 'utf8')).toBe('x = 1\n');
    const part = await user.folder('part');
    expect(await user.floyd(['clone', '-p', 'lib2', 'cats/1'], part)).toMatchObject(ok);
    expect(await readdir(part)).toEqual(['lib2']);
    const missing = await user.floyd(['clone', 'cats/99'], part);
    expect(missing.code).toBe(1);
    expect(missing.stderr).toContain('was not found');
  });

  it('data clone -p, data add: from the output of a job', async () => {
    const part = await user.folder('models');
    const output = `${owner}/projects/cats/1/output`;
    expect(await user.floyd(['data', 'clone', '-p', 'models', output], part)).toMatchObject(ok);
    expect((await readdir(part, { recursive: true })).sort()).toEqual([
      'models',
      'models/one',
      'models/one/w.txt',
    ]);
    const added = await user.floyd(['data', 'add', output], data);
    expect(added, added.stderr).toMatchObject(ok);
    expect(added.stdout).toContain(`${owner}/datasets/pets/2`);
    const files = await user.floyd(['data', 'listfiles', 'pets/2']);
    expect(files.stdout).toContain('models/one/w.txt');
    const folder = await user.folder('pet-models');
    expect(
      await user.floyd(['data', 'clone', '-p', 'models', `${owner}/datasets/pets/2`], folder),
    ).toMatchObject(ok);
    expect(await readdir(folder)).toEqual(['models']);
    const nothing = await user.floyd(['data', 'add', `${owner}/projects/cats/77/output`], data);
    expect(nothing.code).toBe(1);
    expect(nothing.stderr).toContain('there is no job');
  });

  it('run --data of an output, by either of its names', async () => {
    for (const source of ['cats/1/output', 'cats/1']) {
      const name = `${owner}/projects/${source}`;
      const ran = await run(
        '--data',
        `${name}:model`,
        '-f',
        'python -c "print(open(\'/model/top.txt\').read())"',
      );
      expect(ran.stdout, ran.stderr).toMatch(/^top$/m);
    }
  });

  it('logs: of a job that failed or ran too long they end with the reason, and -t is what it never was', async () => {
    const failed = await run('-f', 'python -c "raise SystemExit(3)"');
    expect(failed.stdout).toContain('the command exited with 3\n[failed] Task execution failed');
    const slow = await run('--max-runtime', '1', '-f', 'python wait.py');
    expect(slow.stdout).toContain('[timeout] Task execution cancelled');
    const link = await user.floyd(['logs', '-u', 'cats/1'], project);
    expect(link.stdout).toContain(`${server.url}/api/v1/resources/`);
    expect((await user.floyd(['logs', '-t', 'cats/1'], project)).code).toBe(2);
    expect((await user.floyd(['logs', 'cats/99'], project)).code).toBe(1);
  });

  it('stop: ends a running job, and what has ended can’t be stopped', async () => {
    const ran = await run('python wait.py');
    const [, name = ''] = /floyd logs (\S+)/.exec(ran.stdout) ?? [];
    const early = await eventually('it runs', async () => {
      const logs = await user.floyd(['logs', name], project);
      return logs.stdout.includes('it runs') && logs;
    });
    expect(early.stdout).not.toContain('[');
    const cloned = await user.floyd(['data', 'clone', `${name}/files`], await user.folder('early'));
    expect(cloned.code === 0 || cloned.stdout.includes('was not found')).toBe(true);
    const undeleted = await user.floyd(['delete', '-y', name], project);
    expect(undeleted.code).toBe(1);
    expect(undeleted.stdout + undeleted.stderr).toContain('has not ended');
    expect(await user.floyd(['stop', name], project)).toMatchObject(ok);
    const followed = await user.floyd(['logs', '-f', name], project);
    expect(followed.stdout).toContain('[shutdown] Task execution cancelled');
    expect((await user.floyd(['status', name], project)).stdout).toContain(' shutdown ');
    const again = await user.floyd(['stop', name], project);
    expect(again.code).toBe(1);
    expect(again.stdout).toContain('cannot be stopped');
  });

  it('restart: runs the same code again, changed where it is said', async () => {
    const restarted = await user.floyd(
      ['restart', 'cats/1', '-m', 'again', 'python train.py && echo twice'],
      project,
    );
    expect(restarted, restarted.stderr).toMatchObject(ok);
    const [, name = ''] = /floyd logs (\S+)/.exec(restarted.stdout) ?? [];
    const followed = await user.floyd(['logs', '-f', name], project);
    expect(followed.stdout).toContain("trained on ['a.txt']\ntwice\n");
    expect((await user.floyd(['info', name], project)).stdout).toMatch(/Instance\s+c2\s+Description\s+again/);
    expect((await user.floyd(['restart', '--env', 'nope', 'cats/1'], project)).code).toBe(1);
    expect((await user.floyd(['restart', 'cats/99'], project)).code).toBe(1);
  });

  it('floyd.yml: says what the command line doesn’t, its task before the rest', async () => {
    const yml = [
      'machine: cpu2',
      'env: python3',
      'description: of the file',
      'command: echo from-the-file',
      'input:',
      '  - pets/1:first',
      '  - destination: /second',
      `    source: ${owner}/datasets/pets/2`,
      'task:',
      '  evaluate:',
      '    command: ls /first /second',
      '    machine: cpu',
      '  notebook:',
      '    machine: gpu',
    ].join('\n');
    const folder = await user.folder('yml', { 'floyd.yml': yml });
    await user.floyd(['init', 'yaml'], folder);
    const plain = await user.floyd(['run', '-f'], folder);
    expect(plain.stdout, plain.stderr).toContain('from-the-file');
    const info = await user.floyd(['info'], folder);
    expect(info.stdout).toMatch(/Instance\s+c2\s+Description\s+of the file/);
    const task = await user.floyd(['run', '--task', 'evaluate', '-m', 'mine', '-f'], folder);
    expect(task.stdout, task.stderr).toMatch(/\/first:\na\.txt\n\n\/second:\nmodels\ntop\.txt/);
    expect((await user.floyd(['info'], folder)).stdout).toMatch(/Instance\s+c1\s+Description\s+mine/);
    const unknown = await user.floyd(['run', '--task', 'nope'], folder);
    expect(unknown.code).toBe(1);
    expect(unknown.stderr).toContain('There are: evaluate, notebook.');
    await writeFile(path.join(folder, 'floyd.yml'), 'max_runtime: soon\n');
    const wrong = await user.floyd(['run', 'true'], folder);
    expect(wrong.stderr + wrong.stdout).toMatch(/line 1, max_runtime: write seconds/);
  });

  it('run --mode serve: app.py is reached through the server, and info says where', async () => {
    const app = `import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'served ' + self.path.encode())
http.server.HTTPServer(('127.0.0.1', int(os.environ['PORT'])), Handler).serve_forever()
`;
    const folder = await user.folder('served', { 'app.py': app });
    await user.floyd(['init', 'served'], folder);
    const command = await user.floyd(['run', '--mode', 'serve', 'true'], folder);
    expect(command.code).toBe(3);
    const ran = await user.floyd(['run', '--env', 'python3', '--mode', 'serve'], folder);
    expect(ran, ran.stderr).toMatchObject(ok);
    const url = `${server.url}/${owner}/projects/served/1/serve/`;
    expect(ran.stdout).toContain(`URL to service endpoint: ${url}`);
    const headers = { authorization: `Bearer ${await tokenOf(server)}` };
    await eventually('it answers', async () => {
      const answer = await fetch(`${url}predict?x=1`, { headers });
      return answer.ok && (await answer.text()) === 'served /predict?x=1';
    });
    const info = await user.floyd(['info', 'served/1'], folder);
    expect(info.stdout).toMatch(/Mode\s+serving/);
    expect(info.stdout).toContain(url);
    expect(await user.floyd(['stop', 'served/1'], folder)).toMatchObject(ok);
  });

  it('delete, data delete: ask, and say what isn’t there', async () => {
    const both = await user.floyd(['delete', '-y', 'cats/1', 'cats/99'], project);
    expect(both.code).toBe(1);
    expect(both.stdout).toContain('cats/1 Deleted');
    const unasked = await user.floyd(['data', 'delete', 'pets/1'], data);
    expect(unasked.code).not.toBe(0);
    expect(await user.floyd(['data', 'delete', '-y', 'pets/1'], data)).toMatchObject(ok);
    const output = await user.floyd(['data', 'delete', '-y', `${owner}/projects/cats/2/output`], data);
    expect(output.code).toBe(1);
    expect((await user.floyd(['data', 'delete', '-y', 'pets/1'], data)).code).toBe(1);
    expect((await user.floyd(['data', 'getfile', 'pets/2', 'no.txt'])).code).toBe(1);
  });

  it('output, version, logout', async () => {
    const output = await user.here(['output', '-u', 'cats/2'], project);
    expect(output.stdout.trim()).toBe(`${server.url}/${owner}/projects/cats/2/files`);
    expect((await fetch(output.stdout.trim())).status).toBe(200);
    expect((await user.floyd(['version'])).stdout.trim()).toBe('0.11.17');
    expect(await user.floyd(['logout'])).toMatchObject(ok);
    expect((await user.floyd(['status'], project)).code).toBe(5);
  });
});
