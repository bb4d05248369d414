import { execFileSync } from 'node:child_process';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { scanFolder, uploadFolder } from '../src/index.js';
import { plant, useWorld } from './support/world.js';

const world = useWorld();
const paths = async (options: object): Promise<string[]> =>
  [...(await scanFolder(world.dir, options)).tree].flatMap(({ type, path }) =>
    type === 'file' ? [path] : [],
  );

it('leaves out what the ignore files of mycloud and floyd say, and git and our own state', async () => {
  await plant(world.dir, {
    '.mycloudignore': '*.log\n!keep.log\n/data/\n',
    '.floydignore': 'notes.txt\n**/__pycache__\n',
    '.mycloud.json': '{}',
    '.git/config': '',
    '.gitignore': 'train.py\n',
    'train.py': '',
    'Train.LOG': '',
    'a.log': '',
    'keep.log': '',
    'notes.txt': '',
    'data/x': '',
    'sub/data/x': '',
    'sub/b.log': '',
    'sub/__pycache__/m.pyc': '',
  });
  const kept = [
    '.floydignore',
    '.gitignore',
    '.mycloudignore',
    'Train.LOG',
    'keep.log',
    'sub/data/x',
    'train.py',
  ];
  expect(await paths({ ignore: true })).toEqual(kept);
  expect(await paths({ ignore: true, ignoreFiles: [] })).toHaveLength(12);
  expect(await paths({})).toHaveLength(14);
});

it('lists what it finds in the order of a manifest, by bytes of UTF-8', async () => {
  const odd = ['\uFF5E', '\u{1F600}', 'ä', 'z'];
  await plant(
    world.dir,
    Object.fromEntries(['a/b', 'a-b', 'a/c/d', 'a/c.d', 'a.b', ...odd].map((n) => [n, n])),
  );
  const { tree } = await scanFolder(world.dir);
  const found = [...tree].map((entry) => entry.path);
  expect(found).toEqual(['a', 'a-b', 'a.b', 'a/b', 'a/c', 'a/c.d', 'a/c/d', 'z', 'ä', '\uFF5E', '\u{1F600}']);
});

it('refuses links that leave the folder, naming each, and keeps those that stay', async () => {
  await plant(world.dir, { 'in/x': 'x' });
  await symlink('in/x', path.join(world.dir, 'stays'));
  await symlink('/etc/passwd', path.join(world.dir, 'absolute'));
  await symlink('../../elsewhere', path.join(world.dir, 'in/up'));
  const scanning = scanFolder(world.dir);
  await expect(scanning).rejects.toMatchObject({ code: 'bad_request' });
  await expect(scanning).rejects.toThrow(/"absolute": .*"\/etc\/passwd"/);
  await expect(scanning).rejects.toThrow(/"in\/up": .*outside the folder/);
  await expect(scanning).rejects.not.toThrow(/stays/);
});

it.skipIf(process.platform === 'win32')('refuses pipes and names that are not UTF-8', async () => {
  execFileSync('mkfifo', [path.join(world.dir, 'pipe')]);
  await writeFile(Buffer.concat([Buffer.from(`${world.dir}/bad`), Buffer.from([0xff])]), '');
  await expect(scanFolder(world.dir)).rejects.toThrow('"pipe": it is a named pipe');
  await expect(scanFolder(world.dir)).rejects.toThrow('not valid UTF-8');
});

it('keeps what it can of an output and names the rest', async () => {
  await plant(world.dir, { 'weights.h5': 'weights' });
  await symlink('/etc/passwd', path.join(world.dir, 'secret'));
  const result = await uploadFolder({ client: world.api.client, dir: world.dir, lenient: true });
  expect(result.files).toBe(1);
  expect(result.skipped).toEqual([{ path: 'secret', reason: expect.stringContaining('absolute') }]);
});

it('lists every unreadable file and folder at once', async () => {
  await plant(world.dir, { 'ok.txt': '', 'a/secret': '', 'b/secret': '' });
  await mkdir(path.join(world.dir, 'closed'));
  for (const name of ['a/secret', 'b/secret', 'closed']) await chmod(path.join(world.dir, name), 0);
  await chmod(world.dir, 0o755);
  const root = process.getuid?.() === 0;
  // Nothing is unreadable for root: be nobody for a moment.
  if (root) process.seteuid?.(65534);
  try {
    const scanning = scanFolder(world.dir);
    await expect(scanning).rejects.toThrow('3 entries');
    await expect(scanning).rejects.toThrow(/a\/secret.*\n.*b\/secret|closed/);
  } finally {
    if (root) process.seteuid?.(0);
    await chmod(path.join(world.dir, 'closed'), 0o755);
  }
});

it('says so when the folder is not there, or is a file', async () => {
  await expect(scanFolder(path.join(world.dir, 'gone'))).rejects.toMatchObject({ code: 'not_found' });
  await plant(world.dir, { file: '' });
  await expect(scanFolder(path.join(world.dir, 'file'))).rejects.toThrow('is a file, not a folder');
});
