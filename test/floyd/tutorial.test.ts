import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { drawDataset } from '@mycloud/trainer/draw';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FloydUser, floydProgram, floydUser, tokenOf } from '../support/floyd.js';
import { startServer, type TestServer } from '../support/server.js';

/** What the tutorial's script leaves: it reads the pictures, tells metrics as FloydHub wanted them, and writes /output. */
const script = `import json, os, sys
cats = sorted(os.listdir('/input/train/cats'))
print('Found %d images of cats.' % len(cats), flush=True)
for epoch in range(2):
    print(json.dumps({'metric': 'val_acc', 'value': 0.5 + epoch / 4, 'epoch': epoch}), flush=True)
logdir = sys.argv[sys.argv.index('--logdir') + 1]
os.makedirs(logdir)
open(os.path.join(logdir, 'events.txt'), 'w').write('events')
open('/output/weights.hdf5', 'w').write('weights')
`;

describe.skipIf(!floydProgram)('the tutorial, typed into the old floyd on a fresh server', () => {
  let server: TestServer;
  let user: FloydUser;
  let owner: string;
  let project: string;
  let data: string;
  const ok = { code: 0 };

  beforeAll(async () => {
    // What floyd-local looks for is fixed: this is the one test that listens there.
    server = await startServer({ args: ['--floyd-local'] });
    user = await floydUser(server);
  });
  afterAll(() => server?.remove());

  it('logs in with a token, and says so when it is a wrong one', async () => {
    const wrong = await user.floyd(['login', '-k', 'myc_wrong']);
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain('Invalid Token');
    const right = await user.floyd(['login', '-k', await tokenOf(server)]);
    expect(right).toMatchObject(ok);
    owner = /Login Successful as (\S+)/.exec(right.stdout)?.[1] ?? '';
    expect(owner).not.toBe('');
  });

  it('uploads the pictures with floyd-local', async () => {
    data = await user.folder('pictures');
    await drawDataset(data, { train: 6, val: 4, seed: 3 });
    await writeFile(path.join(data, 'Übersicht 1.txt'), 'Katzen und Hunde\n');
    expect(await user.floyd(['data', 'init', 'dogsvscats'], data)).toMatchObject(ok);
    const uploaded = await user.local(['data', 'upload', '-m', 'drawn'], data);
    expect(uploaded, uploaded.stderr).toMatchObject(ok);
    expect(uploaded.stdout).toContain(`${owner}/datasets/dogsvscats/1`);
    const status = await user.floyd(['data', 'status'], data);
    expect(status.stdout).toMatch(/datasets\/dogsvscats\/1 .* valid /);
  });

  it('runs the script on a GPU machine with the pictures at /input, and follows it to its end', async () => {
    project = await user.folder('convnet', { 'very_little_data.py': script });
    expect(await user.floyd(['init', 'dogsvscats'], project)).toMatchObject(ok);
    const mount = `${owner}/datasets/dogsvscats/1:input`;
    const command = 'python very_little_data.py --logdir /output/Graph';
    const args = ['run', '--data', mount, '--gpu', '--env', 'python3', '-m', 'first try', command];
    const ran = await user.floyd(args, project);
    expect(ran, ran.stderr).toMatchObject(ok);
    expect(ran.stdout).toContain(`floyd logs ${owner}/projects/dogsvscats/1`);

    const followed = await user.floyd(['logs', '-f', 'dogsvscats/1'], project);
    expect(followed, followed.stderr).toMatchObject(ok);
    expect(followed.stdout).toContain('Found 3 images of cats.');
    expect(followed.stdout).toMatch(/CPU/);
    expect(followed.stdout.trimEnd().endsWith('[success] Finished execution')).toBe(true);
    // Each line once: what is followed never begins anew.
    expect(followed.stdout.split('Found 3 images').length).toBe(2);
  });

  it('shows how it went', async () => {
    const status = await user.floyd(['status'], project);
    expect(status.stdout).toMatch(/projects\/dogsvscats\/1 .* success .* g1 .* first try .*val_acc=0.75/);
    const info = await user.floyd(['info'], project);
    expect(info.stdout).toMatch(/Status\s+success/);
    expect(info.stdout).toContain(`${server.url}/${owner}/projects/dogsvscats/1/tensorboard`);
  });

  it('gives back what it wrote, as a whole and file by file', async () => {
    const output = `${owner}/projects/dogsvscats/1/output`;
    const into = await user.folder('got');
    expect(await user.floyd(['data', 'clone', output], into)).toMatchObject(ok);
    expect((await readdir(into, { recursive: true })).sort()).toEqual([
      'Graph',
      'Graph/events.txt',
      'weights.hdf5',
    ]);
    const files = await user.floyd(['data', 'listfiles', output], into);
    expect(files.stdout.trim().split('\n').sort()).toEqual(['Graph/', 'Graph/events.txt', 'weights.hdf5']);

    const one = await user.folder('one');
    expect(await user.floyd(['data', 'getfile', 'dogsvscats/1', 'Übersicht 1.txt'], one)).toMatchObject(ok);
    expect(await readFile(path.join(one, 'Übersicht 1.txt'), 'utf8')).toBe('Katzen und Hunde\n');
    expect(await user.floyd(['data', 'getfile', output, 'Graph/events.txt'], one)).toMatchObject(ok);
    expect(await readFile(path.join(one, 'events.txt'), 'utf8')).toBe('events');
  });

  it('gives back the data byte by byte', async () => {
    const into = path.join(await user.folder('data'), 'all');
    await mkdir(into);
    expect(await user.floyd(['data', 'clone', 'dogsvscats/1'], into)).toMatchObject(ok);
    const names = (await readdir(data, { recursive: true })).filter((name) => name !== '.floyddata').sort();
    expect((await readdir(into, { recursive: true })).sort()).toEqual(names);
    for (const name of names.filter((one) => /\.(jpg|png|txt)$/.test(one)))
      expect(await readFile(path.join(into, name))).toEqual(await readFile(path.join(data, name)));
  });

  it('deletes the job, and then the data', async () => {
    const deleted = await user.floyd(['delete', '-y', 'dogsvscats/1'], project);
    expect(deleted).toMatchObject(ok);
    expect((await user.floyd(['status'], project)).stdout).not.toContain('dogsvscats/1');
    expect(await user.floyd(['data', 'delete', '-y', 'dogsvscats/1'], data)).toMatchObject(ok);
    expect((await user.floyd(['data', 'status'], data)).stdout).not.toContain('dogsvscats/1');
  });
});
