import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';

/** What the batch script leaves in the run folder for the worker, besides log and exit. */
const names = {
  /** `JOBID HOST SECONDS`: this job of Slurm's, and no other, runs the attempt. */
  began: 'began',
  /** Something told it to end; when, seconds since 1970. */
  told: 'told',
  /** Why the command was not even begun. */
  refused: 'refused',
  /** `PID STARTTIME CPUTICKS RSSPAGES`, a line for each process. */
  usage: 'usage',
  /** nvidia-smi's lines of its cards. */
  gpus: 'gpus',
  /** What Slurm itself wrote to the job's output. */
  words: 'slurm.out',
} as const;

/**
 * Reads one of them; null when it isn't there. The folder is listed before: where it is an NFS mount, that asks the server
 * for its files, where opening one may be answered from what was there a minute ago.
 */
export async function readRunFile(runDir: string, name: keyof typeof names): Promise<string | null> {
  try {
    await readdir(runDir);
    return await readFile(path.join(runDir, names[name]), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Id of the job that runs the attempt, its node, and when it began, milliseconds since 1970; null: none has begun. */
export async function readBegan(runDir: string): Promise<{ id: string; node: string; at: number } | null> {
  const [id, node = ''] = (await readRunFile(runDir, 'began'))?.split(' ') ?? [];
  if (!id) return null;
  return { id, node, at: Math.floor((await stat(path.join(runDir, names.began))).mtimeMs) };
}
