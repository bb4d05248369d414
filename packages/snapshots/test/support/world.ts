import { createCipheriv, createHash } from 'node:crypto';
import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { type FakeApi, startFakeApi } from './fake-api.js';

/** A fresh server and a fresh folder for every test of a file. */
export function useWorld(): { api: FakeApi; dir: string } {
  const world = {} as { api: FakeApi; dir: string };
  beforeEach(async () => {
    world.api = await startFakeApi();
    world.dir = await mkdtemp(path.join(tmpdir(), 'mycloud-snapshots-'));
  });
  afterEach(async () => {
    await world.api.close();
    await rm(world.dir, { recursive: true, force: true });
  });
  return world;
}

/** Writes files below a folder, making the folders on the way. */
export async function plant(root: string, files: Record<string, string | Buffer>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(root, name)), { recursive: true });
    await writeFile(path.join(root, name), content);
  }
}

/** Bytes that don't compress or repeat, the same for the same seed. */
export function noise(length: number, seed: string): Buffer {
  const key = createHash('sha256').update(seed).digest();
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length));
}

/** A folder as text: what every path is, its mode and its content. */
export async function picture(root: string, below = ''): Promise<Record<string, string>> {
  const seen: Record<string, string> = {};
  for (const name of (await readdir(path.join(root, below))).sort()) {
    const at = path.join(below, name);
    const stat = await lstat(path.join(root, at));
    if (stat.isSymbolicLink()) seen[at] = `-> ${await readlink(path.join(root, at))}`;
    else if (stat.isDirectory()) Object.assign(seen, { [at]: 'dir' }, await picture(root, at));
    else {
      const hash = createHash('sha256')
        .update(await readFile(path.join(root, at)))
        .digest('hex');
      seen[at] = `${(stat.mode & 0o777).toString(8)} ${stat.size} ${hash}`;
    }
  }
  return seen;
}
