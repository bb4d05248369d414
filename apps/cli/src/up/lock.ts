import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '@mycloud/shared';
import { z } from 'zod';
import { identify, isAlive } from './process-identity.js';

const identitySchema = z.object({ pid: z.number().int().positive(), started: z.string() });
const lockSchema = identitySchema.extend({
  url: z.string().optional(),
  /** Its programs, in the order they were started. */
  programs: z.array(identitySchema.extend({ name: z.string(), signal: z.enum(['SIGTERM', 'SIGINT']) })),
});
type Lock = z.infer<typeof lockSchema>;
export type LockedProgram = Lock['programs'][number];

export interface HomeLock {
  /** Writes down where the server listens and what it runs, for the next `up` if this one is killed. */
  note(facts: { url: string; programs: LockedProgram[] }): Promise<void>;
  release(): Promise<void>;
}

/**
 * Takes a home for this process; one server, or one worker, has a home. What a killed `up` left running is ended first.
 * @throws AppError conflict when another is running there
 */
export async function lockHome(home: string, noun: 'server' | 'worker' = 'server'): Promise<HomeLock> {
  const file = path.join(home, 'up.json');
  const me = identify(process.pid);
  if (!me) throw new AppError('internal', 'this process could not be found in the list of processes');
  const text = (facts: Partial<Lock>) => `${JSON.stringify({ ...me, programs: [], ...facts })}\n`;
  while (!(await createAlone(file, text({})))) {
    const held = await readLock(file);
    if (held && isAlive(held)) {
      throw new AppError('conflict', `a ${noun} is already running on ${home} (pid ${held.pid})`, {
        hint: held.url
          ? `It ${noun === 'server' ? 'listens at' : 'works for'} ${held.url}. Stop it first, or choose another folder by --home.`
          : 'It is just starting. Stop it first, or choose another folder by --home.',
      });
    }
    for (const program of [...(held?.programs ?? [])].reverse()) await end(program);
    await rm(file, { force: true });
  }
  return {
    async note(facts) {
      await writeFile(`${file}.new`, text(facts));
      await rename(`${file}.new`, file);
    },
    release: () => rm(file, { force: true }),
  };
}

async function createAlone(file: string, text: string): Promise<boolean> {
  try {
    await writeFile(file, text, { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

/** @returns undefined for a lock that is gone or was never written to its end: nobody holds it */
async function readLock(file: string): Promise<Lock | undefined> {
  try {
    return lockSchema.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || error instanceof SyntaxError || error instanceof z.ZodError) return undefined;
    throw error;
  }
}

async function end(program: LockedProgram): Promise<void> {
  for (const [signal, tries] of [
    [program.signal, 100],
    ['SIGKILL', 50],
  ] as const) {
    if (!isAlive(program)) return;
    process.kill(program.pid, signal);
    for (let i = 0; i < tries && isAlive(program); i++) await sleep(100);
  }
}
