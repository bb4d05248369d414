import { readdirSync, readFileSync } from 'node:fs';

/** Pids below `root` whose command line matches, found in /proc. */
export function descendants(root: number, matching: RegExp): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    const parent = Number(/^PPid:\s+(\d+)/m.exec(read(`/proc/${name}/status`))?.[1] ?? -1);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found: number[] = [];
  const queue = [...(children.get(root) ?? [])];
  for (let pid = queue.shift(); pid !== undefined; pid = queue.shift()) {
    if (matching.test(read(`/proc/${pid}/cmdline`).replaceAll('\0', ' '))) found.push(pid);
    queue.push(...(children.get(pid) ?? []));
  }
  return found;
}

/** A process that ended between listing and reading has no text. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return '';
    throw error;
  }
}
