import { randomUUID } from 'node:crypto';
import { rename, symlink } from 'node:fs/promises';
import path from 'node:path';
import { prepareBase } from './base.js';
import { buildSandbox } from './build-sandbox.js';
import { EnvironmentError, type Environments, type HeldEnvironment } from './environment.js';
import { prepareTfjsNode } from './node.js';
import { preparePython } from './python.js';
import { Pythons } from './pythons.js';
import { Shelf } from './shelf.js';

export interface EnvironmentsOptions {
  home: string;
  trainerBin: string | undefined;
  /** Where python3 and uv are looked for. */
  path: string;
  /** Settings of pip, uv and npm, and the way to the network. */
  variables: Record<string, string>;
  /** All that is built may take so much of the disk. */
  maxBytes: number;
  /** bubblewrap works here: builds run in it, and don't see these folders. undefined: as the worker's user. */
  hidden: readonly string[] | undefined;
  /** The cgroup that setup code runs in there; null: the worker's own. */
  group?: string | null;
}

/** The environments of a worker, built below its home; what an earlier one left half made is removed. */
export async function openEnvironments(options: EnvironmentsOptions): Promise<Environments> {
  const base = prepareBase(options.home, options.trainerBin);
  const root = path.join(options.home, 'environments');
  const shelf = new Shelf({ root, maxBytes: options.maxBytes });
  await shelf.sweep();
  const { path: searchPath, variables, hidden, group = null } = options;
  const pythons: Pythons = new Pythons(searchPath, (argv, program) =>
    sandbox && program.startsWith(root + path.sep) ? sandbox(argv, { dir: path.join(root, '.asked') }) : argv,
  );
  const interpreters = () => pythons.prefixes;
  const sandbox = hidden && buildSandbox({ hidden, root, path: searchPath, group, interpreters });
  const shop = { shelf, pythons, root, path: searchPath, variables, sandbox };
  const joined = (own: HeldEnvironment): HeldEnvironment => ({
    ...own,
    bins: [...own.bins, ...base.bins],
    readOnly: [...own.readOnly, ...base.readOnly],
    variables: { ...base.variables, ...own.variables },
  });
  return {
    async prepare(environment, code, asker) {
      if (environment.interpreter === 'node') {
        if (environment.npm) return joined(await prepareTfjsNode(shop, environment, asker));
        return { ...base, folders: [], release: () => undefined };
      }
      if (!environment.interpreter) throw new EnvironmentError(`${environment.name} is a container image`);
      const python = await preparePython(shop, environment, code, asker);
      if (!python.own && python.dir) await nameFolder(python.dir, path.join(root, environment.name));
      return joined({
        ...python,
        variables: python.dir ? { VIRTUAL_ENV: python.dir } : {},
      });
    },
    hold: (folders) => shelf.hold(folders),
    get built() {
      return shelf.built;
    },
    remove: (id) => shelf.remove(id),
    makeRoom: () => shelf.makeRoom(),
    onChange: (listener) => shelf.onChange(listener),
  };
}

/** A link by the environment's own name: an embedded server finds its TensorBoard there. */
async function nameFolder(dir: string, link: string): Promise<void> {
  const made = `${link}.${randomUUID()}`;
  await symlink(path.basename(dir), made);
  await rename(made, link);
}
