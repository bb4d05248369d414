import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, isEnd, type Job, jobRoutes } from '@mycloud/shared';
import type { Session } from './context.js';
import { ExitCode } from './exit.js';
import { hint } from './output.js';

const lookMs = 500;

interface Link {
  url: string;
  /** Why it doesn't answer yet; null: it does. */
  message: string | null;
}

/** Where a Jupyter or a server is reached; undefined for another job, one that has ended, and what its caller may not use. */
export async function linkOf(session: Session, job: Job): Promise<Link | undefined> {
  if (job.mode === 'command' || isEnd(job.status)) return undefined;
  const { owner, project, number } = job;
  try {
    const { path, message } = await session.client.call(jobRoutes.link, {
      params: { owner, project, number },
    });
    return path === null ? undefined : { url: session.client.url + path, message };
  } catch (error) {
    if (error instanceof AppError && error.code === 'not_found') return undefined;
    throw error;
  }
}

/**
 * Waits until a Jupyter or a server answers, telling what it waits for; a server that is away is waited for too. Ctrl-C leaves
 * the job alone. @throws AppError when it ends before
 */
export async function untilReady(session: Session, job: Job): Promise<{ url: string }> {
  const { owner, project, number, name } = job;
  const params = { owner, project, number };
  const detach = new AbortController();
  const onInterrupt = () => detach.abort();
  process.once('SIGINT', onInterrupt);
  let told = '';
  try {
    while (!detach.signal.aborted) {
      const found = await session.client.call(jobRoutes.link, { params }).catch((error: unknown) => {
        if (error instanceof AppError && error.code === 'unavailable') return undefined;
        throw error;
      });
      if (found?.state === 'ready') return { url: session.client.url + found.path };
      // Why it has ended is known once its output is saved.
      const ended = found?.state === 'ended' && (await session.client.call(jobRoutes.get, { params }));
      if (ended && isEnd(ended.status)) {
        throw new AppError('unavailable', `${name} has nothing to open: ${ended.message}`, {
          hint: `Its log tells more: mycloud logs ${name}`,
        });
      }
      const message = found?.message ?? 'the server does not answer; trying again';
      if (message !== told) hint(`Waiting: ${message}.`);
      told = message;
      await sleep(lookMs, undefined, { signal: detach.signal }).catch(() => undefined);
    }
  } finally {
    process.removeListener('SIGINT', onInterrupt);
  }
  hint(`\nDetached; ${name} goes on. Its link, when it is ready:\n  mycloud info ${name}`);
  throw new ExitCode(130);
}
