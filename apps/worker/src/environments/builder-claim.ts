import { closeSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { readProcess } from '@mycloud/processes';
import { z } from 'zod';

const ownerSchema = z.object({ pid: z.number(), startTime: z.string() });

/** A living process that holds the claim in a file; undefined: nobody does. */
export function claimant(file: string): { pid: number } | undefined {
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return undefined;
  }
  // One that was killed as it began to write names nobody.
  const owner = text ? ownerSchema.parse(JSON.parse(text)) : undefined;
  return owner && readProcess(owner.pid)?.startTime === owner.startTime ? owner : undefined;
}

/**
 * Claims to build something: waits for another process that does, and takes over from one that died.
 * @param onOther told once, when another has it
 * @throws the signal's reason
 */
export async function claim(
  file: string,
  onOther: (pid: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const me = readProcess(process.pid);
  for (let told = false; ; ) {
    const owner = claimant(file);
    if (!owner) {
      rmSync(file, { force: true });
      if (writeNew(file, { pid: process.pid, startTime: me?.startTime ?? '' })) return;
      continue;
    }
    if (!told) onOther(owner.pid);
    told = true;
    await sleep(250, undefined, { signal });
  }
}

/** @returns false where the file is there already */
function writeNew(file: string, value: unknown): boolean {
  try {
    const fd = openSync(file, 'wx');
    writeSync(fd, JSON.stringify(value));
    closeSync(fd);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
