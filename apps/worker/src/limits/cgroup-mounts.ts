import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** The cgroup this process is in, as a folder. */
export interface OwnCgroup {
  /** Where the hierarchy is mounted. */
  mount: string;
  dir: string;
}

export interface OwnCgroups {
  /** The unified hierarchy, where it is mounted. */
  v2: OwnCgroup | null;
  /** By controller. */
  v1: Map<string, OwnCgroup>;
}

/** @param proc /proc/self, or in tests a folder with `cgroup` and `mounts` as proc(5) has them */
export function ownCgroups(proc = '/proc/self'): OwnCgroups {
  const own: OwnCgroups = { v2: null, v1: new Map() };
  if (!existsSync(path.join(proc, 'cgroup'))) return own;
  const lines = (name: string): string[] =>
    readFileSync(path.join(proc, name), 'utf8').split('\n').filter(Boolean);
  const paths = new Map(
    lines('cgroup').map((line) => {
      const [, controllers = '', ...rest] = line.split(':');
      return [controllers, rest.join(':')];
    }),
  );
  for (const line of lines('mounts')) {
    const [, mount = '', type = '', options = ''] = line.split(' ');
    if (type === 'cgroup2') own.v2 ??= placed(mount, paths.get('') ?? '/');
    if (type !== 'cgroup') continue;
    for (const [controllers, at] of paths) {
      const names = controllers.split(',');
      if (controllers === '' || !names.every((name) => options.split(',').includes(name))) continue;
      for (const name of names) own.v1.set(name, placed(mount, at));
    }
  }
  return own;
}

/** In a container the path may be the host's, and the mount shows only what is below it. */
function placed(mount: string, at: string): OwnCgroup {
  const dir = path.join(mount, at);
  return { mount, dir: existsSync(dir) ? dir : mount };
}
