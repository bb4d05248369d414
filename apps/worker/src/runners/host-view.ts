import { existsSync, lstatSync, readdirSync, readlinkSync, type Stats, statSync } from 'node:fs';
import path from 'node:path';

/** Of the host's root, what programs need. Homes, data and sockets of the host stay out of sight. */
const systemFolders = [
  ...['usr', 'etc', 'bin', 'sbin', 'lib', 'lib32', 'lib64', 'libx32'],
  ...['opt', 'sys', 'nix', 'gnu'],
];

/** What of /sys tells of the machine and not of its use: firmware tables, energy by which other programs' work is guessed. */
const machineFacts = [
  ...['/sys/firmware', '/sys/kernel/security', '/sys/kernel/debug', '/sys/kernel/tracing'],
  '/sys/devices/virtual/powercap',
];

export const isInSystem = (folder: string): boolean =>
  systemFolders.includes(folder.split(path.sep)[1] ?? '');

/**
 * bubblewrap's options for a read-only view of the host's system, with what is secret in it covered.
 * @param hidden folders that lie in it and are nobody's business, such as the server's
 */
export function systemView(hidden: readonly string[]): string[] {
  const present = new Set(readdirSync('/'));
  const folders = systemFolders
    .filter((name) => present.has(name))
    .flatMap((name) => {
      const folder = `/${name}`;
      if (lstatSync(folder).isSymbolicLink()) return ['--symlink', readlinkSync(folder), folder];
      return ['--ro-bind', folder, folder];
    });
  return [...folders, ...covered(hidden.filter(isInSystem))];
}

/** Options that cover the secrets of /etc, facts of the machine, and these folders. */
export function covered(folders: readonly string[]): string[] {
  const { files, dirs } = secretsOfEtc();
  return [
    ...files.flatMap((file) => ['--ro-bind', '/dev/null', file]),
    ...[...dirs, ...machineFacts, ...folders].filter(isFolder).flatMap((dir) => ['--tmpfs', dir]),
  ];
}

const isFolder = (folder: string): boolean => existsSync(folder) && statSync(folder).isDirectory();

interface Secrets {
  files: string[];
  dirs: string[];
}
/** Jobs start many times a second, and /etc changes seldom. */
const keptMs = 60_000;
let known: { secrets: Secrets; until: number } | undefined;

/**
 * What of /etc not everybody may read: password hashes, private keys. A job is its worker's user, who may be root, and then the
 * permissions keep nothing from it.
 */
function secretsOfEtc(): Secrets {
  if (!known || known.until < Date.now()) known = { secrets: unreadable('/etc'), until: Date.now() + keptMs };
  return known.secrets;
}

const mayAll = ({ mode }: Stats, bits: number): boolean => (mode & bits) === bits;

function unreadable(folder: string): Secrets {
  const secrets: Secrets = { files: [], dirs: [] };
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const full = path.join(folder, entry.name);
    if (entry.isDirectory()) {
      if (!mayAll(statSync(full), 0o005)) secrets.dirs.push(full);
      else {
        const below = unreadable(full);
        secrets.files.push(...below.files);
        secrets.dirs.push(...below.dirs);
      }
    } else if (entry.isFile() && !mayAll(statSync(full), 0o004)) secrets.files.push(full);
  }
  return secrets;
}
