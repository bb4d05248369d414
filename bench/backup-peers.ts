import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';

const exec = promisify(execFile);

/** A program that stores folders deduplicated, as we do; its repository lies in a folder of its own. */
export interface BackupPeer {
  name: string;
  /** How `source` is stored once more. */
  storeCommand(source: string): Command;
  /** How what was stored last is written below `target`. */
  restoreCommand(target: string): Command;
  /** Bytes of its repository. */
  bytes(): number;
  /** Begins anew, with an empty repository. */
  reset(): Promise<unknown>;
}

type Command = [program: string, args: string[], options: { cwd: string; env: NodeJS.ProcessEnv }];

export const run = (command: Command): Promise<unknown> => exec(...command);

const there = (program: string): boolean =>
  spawnSync(program, ['version']).status === 0 || spawnSync(program, ['--version']).status === 0;

/** BorgBackup with what `borg create` does by itself (lz4, which gives random bytes up at once), without encryption. */
function borg(base: string): BackupPeer {
  const repository = path.join(base, 'borg');
  const env = {
    ...process.env,
    BORG_BASE_DIR: path.join(base, 'borg-home'),
    BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: 'yes',
  };
  const command = (args: string[], cwd: string): Command => ['borg', args, { cwd, env }];
  let archives = 0;
  return {
    name: 'borg',
    storeCommand(source) {
      archives += 1;
      return command(['create', `${repository}::a${archives}`, '.'], source);
    },
    restoreCommand: (target) => command(['extract', `${repository}::a${archives}`], target),
    bytes: () => folderBytes(repository),
    reset() {
      rmSync(repository, { recursive: true, force: true });
      rmSync(env.BORG_BASE_DIR, { recursive: true, force: true });
      return run(command(['init', '-e', 'none', repository], base));
    },
  };
}

/** restic, which always encrypts; compression off, since random bytes gain nothing by it. */
function restic(base: string): BackupPeer {
  const repository = path.join(base, 'restic');
  const env = {
    ...process.env,
    RESTIC_PASSWORD: 'bench',
    RESTIC_REPOSITORY: repository,
    RESTIC_CACHE_DIR: path.join(base, 'restic-cache'),
  };
  const command = (args: string[], cwd: string): Command => ['restic', args, { cwd, env }];
  return {
    name: 'restic',
    storeCommand: (source) => command(['backup', '.'], source),
    restoreCommand: (target) => command(['restore', 'latest', '--target', target], base),
    bytes: () => folderBytes(repository),
    reset() {
      rmSync(repository, { recursive: true, force: true });
      rmSync(env.RESTIC_CACHE_DIR, { recursive: true, force: true });
      return run(command(['init'], base));
    },
  };
}

/** The peers that are installed here. @returns also the names of those that aren't */
export function backupPeers(base: string): { peers: BackupPeer[]; missing: string[] } {
  mkdirSync(base, { recursive: true });
  const known = { borg, restic };
  const names = Object.keys(known) as (keyof typeof known)[];
  const installed = names.filter(there);
  return {
    peers: installed.map((name) => known[name](base)),
    missing: names.filter((name) => !installed.includes(name)),
  };
}

/** Bytes of all files below a folder. */
export function folderBytes(dir: string): number {
  let total = 0;
  for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) total += statSync(path.join(entry.parentPath, entry.name)).size;
  }
  return total;
}
