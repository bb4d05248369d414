import { createHash } from 'node:crypto';
import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { type Build, buildOnce, runProgram } from './build.js';
import type { PreparedEnvironment } from './environment.js';

/** Reads the requirements a job's code brings with it. */
export function codeRequirements(codeDir: string): string[] {
  return ['floyd_requirements.txt', 'requirements.txt'].flatMap((name) => {
    const file = path.join(codeDir, name);
    if (!existsSync(file)) return [];
    const lines = readFileSync(file, 'utf8').split('\n');
    return lines.map((line) => line.trim()).filter((line) => line && !line.startsWith('#'));
  });
}

/** A virtual environment with these requirements: built once, however many jobs ask at the same time. */
export async function preparePython(
  requirements: string[],
  build: Build,
): Promise<PreparedEnvironment & { dir: string }> {
  const content = JSON.stringify([requirements, process.arch]);
  const hash = createHash('sha256').update(content).digest('hex').slice(0, 16);
  const dir = path.join(build.root, `python-${hash}`);
  await buildOnce(dir, build, () => buildVenv(dir, requirements, build));
  const bin = path.join(dir, 'bin');
  const base = path.dirname(path.dirname(realpathSync(path.join(bin, 'python'))));
  return { dir, bins: [bin], readOnly: [dir, base], variables: { VIRTUAL_ENV: dir } };
}

/** A venv holds absolute paths, so it is built in its place. */
async function buildVenv(dir: string, requirements: string[], build: Build): Promise<void> {
  const python = path.join(dir, 'bin/python');
  const hasUv = build.path.split(path.delimiter).some((folder) => existsSync(path.join(folder, 'uv')));
  build.say(`building a Python environment with ${hasUv ? 'uv' : 'venv and pip'}`);
  await runProgram(hasUv ? ['uv', 'venv', '--quiet', dir] : ['python3', '-m', 'venv', dir], build);
  if (requirements.length === 0) return;
  const list = path.join(dir, 'requirements.txt');
  await writeFile(list, `${requirements.join('\n')}\n`);
  const pip = [
    python,
    '-m',
    'pip',
    'install',
    '--disable-pip-version-check',
    '--progress-bar',
    'off',
    '-r',
    list,
  ];
  await runProgram(hasUv ? ['uv', 'pip', 'install', '--python', python, '-r', list] : pip, build);
}
