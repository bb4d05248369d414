import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Limits } from './limits.js';

/** Stacks of threads count as data though hardly any of them is used: 8 MiB each, a hundred in TensorFlow. */
const headroomBytes = 2 ** 30;

/**
 * The last resort: limits of each process, not of the job. RLIMIT_DATA, since address space (RLIMIT_AS) would refuse
 * what WebAssembly and TensorFlow only reserve; a process over it is refused memory (MemoryError, bad_alloc) and not
 * killed. Root isn't held to a number of processes. null where the program is missing.
 */
export async function prlimit(): Promise<Limits | null> {
  try {
    await promisify(execFile)('prlimit', ['--data=1073741824', 'true'], { timeout: 10_000 });
  } catch {
    return null;
  }
  const root = process.getuid?.() === 0;
  return {
    kind: 'prlimit',
    group: null,
    enforced: { memory: true, cpu: false, processes: !root },
    cell: (_, limit) => ({
      dirs: [],
      enter: [],
      prefix: [
        'prlimit',
        `--data=${limit.memoryBytes + headroomBytes}`,
        ...(root ? [] : [`--nproc=${limit.processes}`]),
      ],
    }),
    sweep: async () => undefined,
    close: () => undefined,
  };
}
