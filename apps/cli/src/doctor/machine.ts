import { statfs } from 'node:fs/promises';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { AppError } from '@mycloud/shared';
import { bytesText } from '../text.js';
import { postgresBinaries } from '../up/postgres.js';
import { type Finding, said } from './check.js';

const leastDisk = 5e9;

export function node(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const text = `${process.versions.node} on ${process.platform} ${os.arch()}`;
  if (major > 20 || (major === 20 && minor >= 19)) return { name: 'Node', state: 'ok', text };
  return { name: 'Node', state: 'problem', text, hint: 'mycloud needs Node 20.19 or newer.' };
}

export function size(): Finding {
  const text = `${os.availableParallelism()} cores, ${bytesText(os.totalmem())} of memory`;
  return { name: 'Machine', state: 'ok', text };
}

/** @param home where a server's data lie, or will lie */
export async function disk(home: string): Promise<Finding> {
  const { bavail, bsize } = await freeBelow(home);
  const free = bavail * bsize;
  const text = `${bytesText(free)} free for ${home}`;
  if (free >= leastDisk) return { name: 'Disk', state: 'ok', text };
  return {
    name: 'Disk',
    state: 'note',
    text,
    hint: 'Datasets and outputs fill it soon; choose another by --home.',
  };
}

/** Of the folder, or of the nearest above it that is there. */
async function freeBelow(folder: string): Promise<{ bavail: number; bsize: number }> {
  try {
    return await statfs(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return freeBelow(path.dirname(folder));
  }
}

export async function postgres(): Promise<Finding> {
  const name = 'PostgreSQL';
  try {
    const { postgres: program, env } = await postgresBinaries();
    const version = await said(program, ['--version'], env);
    if (version) return { name, state: 'ok', text: `embedded, ${version.replace(/^.*\) /, '')}` };
    return {
      name,
      state: 'problem',
      text: `${program} does not start`,
      hint: 'Start it by hand to see why, or give a database by DATABASE_URL.',
    };
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return { name, state: 'problem', text: error.message, hint: error.hint };
  }
}

export async function python(): Promise<Finding> {
  const name = 'Python';
  const uv = await said('uv', ['--version']);
  if (uv) return { name, state: 'ok', text: `${uv} builds Python environments` };
  const version = await said('python3', ['--version']);
  const venv = version && (await said('python3', ['-c', 'import venv, ensurepip']));
  if (venv !== undefined) return { name, state: 'ok', text: `${version} builds Python environments` };
  return {
    name,
    state: 'note',
    text: version ? `${version} has no venv` : 'none found; jobs with a Python environment fail here',
    hint: 'Install it: apt-get install python3 python3-venv, or uv.',
  };
}

/** What `train` computes with. */
export function trainer(): Finding {
  const name = 'Trainer';
  const { resolve } = createRequire(fileURLToPath(import.meta.resolve('@mycloud/trainer')));
  for (const module of ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node']) {
    try {
      resolve(module);
      return { name, state: 'ok', text: `TensorFlow by ${module}` };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  const hint = 'TensorFlow is faster: mycloud env build tensorflow, then mycloud run --env tensorflow …';
  return { name, state: 'note', text: 'WebAssembly', hint };
}
