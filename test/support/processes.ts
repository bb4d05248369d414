import { readdirSync, readFileSync } from 'node:fs';

const pids = (): number[] =>
  readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number);

/** Pids below `root` whose command line matches, found in /proc. */
export function descendants(root: number, matching: RegExp): number[] {
  const children = new Map<number, number[]>();
  for (const pid of pids()) {
    const parent = Number(/^PPid:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? -1);
    children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const found: number[] = [];
  const queue = [...(children.get(root) ?? [])];
  for (let pid = queue.shift(); pid !== undefined; pid = queue.shift()) {
    if (matching.test(read(`/proc/${pid}/cmdline`).replaceAll('\0', ' '))) found.push(pid);
    queue.push(...(children.get(pid) ?? []));
  }
  return found;
}

/** Pids of processes that carry a text in their environment or on their command line. */
export const carrying = (text: string): number[] =>
  pids().filter((pid) => ['environ', 'cmdline'].some((file) => read(`/proc/${pid}/${file}`).includes(text)));

/** Ends each at once; one that is gone already is fine. */
export function killAll(them: readonly number[]): void {
  for (const pid of them) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/** A process that ended between listing and reading has no text. */
function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES') return '';
    throw error;
  }
}
