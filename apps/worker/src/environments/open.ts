import { randomUUID } from 'node:crypto';
import { rename, symlink } from 'node:fs/promises';
import path from 'node:path';
import { prepareBase } from './base.js';
import { EnvironmentError, type Environments, type PreparedEnvironment } from './environment.js';
import { prepareTfjsNode } from './node.js';
import { codeRequirements, preparePython } from './python.js';

export interface EnvironmentsOptions {
  home: string;
  trainerBin: string | undefined;
  /** Where python3 and uv are looked for. */
  path: string;
}

/** The environments of a worker, built below its home. */
export function openEnvironments(options: EnvironmentsOptions): Environments {
  const base = prepareBase(options.home, options.trainerBin);
  return {
    async prepare(environment, codeDir, say, signal) {
      const root = path.join(options.home, 'environments');
      const build = { root, path: options.path, say, signal };
      if (environment.interpreter === 'node') {
        return environment.npm ? joined(await prepareTfjsNode(environment, build), base) : base;
      }
      if (!environment.interpreter) throw new EnvironmentError(`${environment.name} is a container image`);
      const own = codeRequirements(codeDir);
      const python = await preparePython([...environment.requirements, ...own], build);
      if (own.length === 0) await nameFolder(python.dir, path.join(root, environment.name));
      return joined(python, base);
    },
  };
}

/** A link by the environment's own name: an embedded server finds its TensorBoard there. */
async function nameFolder(dir: string, link: string): Promise<void> {
  const made = `${link}.${randomUUID()}`;
  await symlink(path.basename(dir), made);
  await rename(made, link);
}

function joined(own: PreparedEnvironment, base: PreparedEnvironment): PreparedEnvironment {
  return {
    bins: [...own.bins, ...base.bins],
    readOnly: [...own.readOnly, ...base.readOnly],
    variables: { ...base.variables, ...own.variables },
  };
}
