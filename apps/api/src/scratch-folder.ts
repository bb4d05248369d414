import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

/** An api's life: machine, process, and when it began, so that a later one with the same number isn't taken for it. */
const life = `${os.hostname()}+${process.pid}+${Math.round(performance.timeOrigin)}+`;

/**
 * Makes a folder below the home for what one api has on disk of a kind, and removes those of apis of this machine that are
 * no more.
 */
export async function openScratchFolder(home: string, kind: 'tensorboards' | 'uploads'): Promise<string> {
  const root = path.join(home, kind);
  await mkdir(root, { recursive: true });
  for (const name of await readdir(root)) {
    const [host, pid] = name.split('+');
    const over = Number(pid) === process.pid ? !name.startsWith(life) : !isRunning(Number(pid));
    if (host === os.hostname() && over) await rm(path.join(root, name), { recursive: true, force: true });
  }
  return mkdtemp(path.join(root, life));
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
