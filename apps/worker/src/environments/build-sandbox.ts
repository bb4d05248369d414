import { existsSync, mkdirSync, realpathSync } from 'node:fs';
import { homedir } from 'node:os';
import path from 'node:path';
import { entering } from '../limits/cgroup-cell.js';
import { covered } from '../runners/host-view.js';

export interface SandboxOptions {
  /** Folders of the worker and of the server: no build may see them. */
  hidden: readonly string[];
  /** Holds what is built, and the caches of pip, uv and npm. */
  root: string;
  /** Where programs are looked for. */
  path: string;
  /** A cgroup that what is built runs in; null: the worker's own. */
  group: string | null;
  /** Where the libraries of the interpreters are that were found. */
  interpreters(): readonly string[];
}

/** Puts a program of a build behind walls. */
export type BuildSandbox = (argv: string[], place: { dir: string; cwd?: string | undefined }) => string[];

/**
 * Setup code of packages is anybody's program: it runs when a package is built, by whoever named it in a requirements.txt. Here it
 * sees the machine's programs, writes to the folder it makes and to the download caches, and reaches the network; it sees no other
 * process (the worker's environment holds its token), no folder of the worker or the server, no home, no socket.
 * Other built environments are there to be read, since one stands on another.
 */
export function buildSandbox({
  hidden,
  root,
  path: searchPath,
  group,
  interpreters,
}: SandboxOptions): BuildSandbox {
  const caches = ['.cache', '.local', '.npm'].map((name) => path.join(root, name));
  const home = homedir();
  const isWithin = (file: string, folder: string) => file === folder || file.startsWith(folder + path.sep);
  const personal = [home, '/tmp', '/var/tmp', '/run', '/var/run'].filter(isRealFolder);
  /** Of what is covered, the programs and what lies beside them: interpreters that pyenv or nvm brought into the home. */
  const programs = (): string[] => {
    const bins = searchPath
      .split(path.delimiter)
      .filter((folder) => path.isAbsolute(folder) && existsSync(folder));
    const links = ['uv', 'python3', 'npm', 'node'].flatMap((name) =>
      bins.map((folder) => path.join(folder, name)).filter((file) => existsSync(file)),
    );
    const real = [process.execPath, ...links].map((file) => path.dirname(realpathSync(file)));
    const prefixes = [...bins, ...real, ...interpreters()].map((folder) =>
      // Beside a folder `bin` lie its libraries; beside ~/bin lies all of the home.
      /^(bin|shims)$/.test(path.basename(folder)) && path.dirname(folder) !== home
        ? path.dirname(folder)
        : folder,
    );
    const isOpen = (folder: string) =>
      !personal.includes(folder) && !hidden.some((one) => isWithin(folder, one));
    return [...new Set(prefixes)].filter(
      (folder) => personal.some((one) => isWithin(folder, one)) && isOpen(folder),
    );
  };
  const open = ['--ro-bind', '/', '/', '--proc', '/proc', '--dev', '/dev'];

  return (argv, { dir, cwd }) => {
    for (const folder of [...caches, dir]) mkdirSync(folder, { recursive: true });
    const cover = (folders: readonly string[]) => folders.flatMap((folder) => ['--tmpfs', folder]);
    const bind = (kind: string, folders: readonly string[]) =>
      folders.flatMap((folder) => [kind, folder, folder]);
    const code = `${dir}.code`;
    return [
      ...(group ? entering(group) : []),
      'bwrap',
      ...open,
      ...cover(personal),
      // Where systemd-resolved is, /etc/resolv.conf points there.
      ...['--ro-bind-try', '/run/systemd/resolve', '/run/systemd/resolve'],
      ...bind('--ro-bind', programs()),
      ...cover(hidden),
      ...covered([]),
      ...bind('--ro-bind', [root]),
      ...bind('--bind', [...caches, dir, ...(existsSync(code) ? [code] : [])]),
      ...['--unshare-pid', '--unshare-ipc', '--cap-drop', 'ALL', '--die-with-parent'],
      ...['--chdir', cwd ?? dir, '--', ...argv],
    ];
  };
}

/** A link (such as /var/run) leads to what is covered itself. */
const isRealFolder = (folder: string): boolean => existsSync(folder) && realpathSync(folder) === folder;
