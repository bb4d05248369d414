import { chmodSync, existsSync, mkdirSync, readdirSync, realpathSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { shellQuoted } from '@mycloud/shared';
import type { PreparedEnvironment } from './environment.js';

/** The trainer's command, by the package manager's own rules; it isn't imported. */
function findTrainer(): string | null {
  try {
    const entry = fileURLToPath(import.meta.resolve('@mycloud/trainer'));
    const root = path.dirname(path.dirname(entry));
    const bin = path.join(root, 'bin/train.mjs');
    return existsSync(bin) ? bin : null;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') return null;
    throw error;
  }
}

/** Folders a script needs for its imports: its package, and each node_modules above it with what that links to. */
function importFolders(script: string): string[] {
  const folders = new Set<string>([path.dirname(path.dirname(realpathSync(script)))]);
  for (let dir = path.dirname(realpathSync(script)); dir !== path.dirname(dir); dir = path.dirname(dir)) {
    const modules = path.join(dir, 'node_modules');
    if (!existsSync(modules)) continue;
    folders.add(modules);
    const scope = path.join(modules, '@mycloud');
    if (!existsSync(scope)) continue;
    for (const name of readdirSync(scope)) {
      const target = path.join(scope, name);
      // A link whose workspace isn't there is nobody's import.
      if (existsSync(target)) folders.add(realpathSync(target));
    }
  }
  return [...folders];
}

/**
 * What every job finds: `node`, the one that runs the worker, and `train`. They are small scripts in a folder of the
 * worker, since the programs themselves may lie beside things a job isn't to see in its PATH.
 * @param trainerBin a script or program for `train`, instead of the installed trainer
 */
export function prepareBase(home: string, trainerBin: string | undefined): PreparedEnvironment {
  const bin = path.join(home, 'bin');
  mkdirSync(bin, { recursive: true });
  const write = (name: string, command: string): void => {
    const file = path.join(bin, name);
    writeFileSync(file, `#!/bin/sh\nexec ${command} "$@"\n`);
    chmodSync(file, 0o755);
  };
  const node = realpathSync(process.execPath);
  write('node', shellQuoted(node));
  const readOnly = [bin, path.dirname(path.dirname(node))];
  const trainer = trainerBin ? path.resolve(trainerBin) : findTrainer();
  if (trainer) {
    const isScript = /\.[cm]?js$/.test(trainer);
    write('train', isScript ? `${shellQuoted(node)} ${shellQuoted(trainer)}` : shellQuoted(trainer));
    readOnly.push(...(isScript ? importFolders(trainer) : [path.dirname(trainer)]));
  }
  return { bins: [bin], readOnly, variables: {} };
}
