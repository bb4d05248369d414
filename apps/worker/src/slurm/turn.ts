import { once } from 'node:events';
import { watch } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { killWith } from '@mycloud/processes';
import type { JobProcess, Turn, TurnAsked } from '../runners/runner.js';
import { readExitCode } from '../runners/supervisor.js';
import { SlurmAway, type SlurmCommands, submissionMark } from './commands.js';
import { readBegan } from './files.js';
import { standingOf, waitText } from './queue.js';
import type { SlurmWatch } from './watch.js';

/** For file systems that don't tell. */
const lookMs = 500;
const againMs = 5000;
/** How long the end of a withdrawn job is waited for, before it is left to be cancelled behind the attempt's back. */
const withdrawMs = 15_000;

export interface Queue {
  commands: SlurmCommands;
  watch: SlurmWatch;
  /** The job's name in Slurm. */
  nameOf(marker: string): string;
  /** Hands its script to sbatch. */
  submit(marker: string, runDir: string): Promise<string>;
}

/**
 * Sees to it that an attempt is submitted, once, and waits until Slurm has begun it. It may be one that an earlier worker
 * submitted, or was about to.
 */
export async function awaitTurn(queue: Queue, asked: TurnAsked): Promise<Turn> {
  const watcher = watch(asked.runDir);
  try {
    return await follow(queue, asked, (limit) => once(watcher, 'change', { signal: limit }));
  } finally {
    watcher.close();
  }
}

/** @param changed resolves when something is written to the run folder from now on; rejects at the limit */
async function follow(
  queue: Queue,
  asked: TurnAsked,
  changed: (limit: AbortSignal) => Promise<unknown>,
): Promise<Turn> {
  const { runDir, stop, signal } = asked;
  const id = asked.job.slurm ?? (await submitOnce(queue, asked));
  signal.throwIfAborted();
  if (id === null) return 'withdrawn';
  const job = { ...asked.job, slurm: id };
  if (!asked.job.slurm) asked.note(job);
  for (let withdrawnAt: number | null = null; ; ) {
    const next = changedOr(changed, [signal, ...(stop.aborted ? [] : [stop])]);
    const began = await readBegan(runDir);
    if (began) {
      // Of two submitted for it, the other is on its way out.
      if (began.id !== id) asked.note({ ...job, slurm: began.id });
      return { begunAt: began.at, where: `runs as Slurm's job ${began.id} on the node ${began.node}` };
    }
    const seen = queue.watch.of(id);
    const over = seen === 'unknown' || (seen !== null && standingOf(seen.state) === 'over');
    if (over && (await readExitCode(runDir)) === null) return stop.aborted ? 'withdrawn' : 'ended';
    if (stop.aborted) {
      withdrawnAt ??= Date.now();
      queue.watch.doom(id);
      if (Date.now() - withdrawnAt > withdrawMs) return 'withdrawn';
    } else asked.say(sentence(queue, seen));
    await next;
    signal.throwIfAborted();
  }
}

/** Resolves when the folder changes, a signal comes, or it is time to look again. Never fails. */
async function changedOr(
  changed: (limit: AbortSignal) => Promise<unknown>,
  signals: readonly AbortSignal[],
): Promise<void> {
  // Not AbortSignal.timeout: within AbortSignal.any, Node 20 may collect it as garbage before its time, and it never comes.
  const time = new AbortController();
  const timer = setTimeout(() => time.abort(), lookMs);
  await changed(AbortSignal.any([time.signal, ...signals])).catch(() => undefined);
  clearTimeout(timer);
}

function sentence({ watch }: Queue, seen: ReturnType<SlurmWatch['of']>): string | null {
  if (watch.awaySince !== null && Date.now() - watch.awaySince > againMs)
    return `waits: Slurm has not answered since ${new Date(watch.awaySince).toTimeString().slice(0, 5)}`;
  return seen === null || seen === 'unknown' || standingOf(seen.state) !== 'waiting' ? null : waitText(seen);
}

/**
 * holds: an attempt is submitted again only after Slurm has said that it has no job of its name. Should one come to light after
 * that nevertheless, the script lets the first alone run.
 * @returns its id, or null: stopped before it was submitted
 */
async function submitOnce(queue: Queue, asked: TurnAsked): Promise<string | null> {
  const { job, runDir, stop, signal } = asked;
  let mayBeThere = asked.adopted;
  // The question of a worker that died: answered from now on, it would be answered to nobody.
  if (mayBeThere) killWith(submissionMark(job.marker));
  for (;;) {
    try {
      const found = mayBeThere ? await find(queue, job, runDir) : null;
      if (found) return found;
      if (stop.aborted) return null;
      mayBeThere = true;
      return await queue.submit(job.marker, runDir);
    } catch (error) {
      if (!(error instanceof SlurmAway)) throw error;
      asked.say(`waits: Slurm does not answer (${error.message.slice(0, 300)})`);
    }
    await sleep(againMs, undefined, {
      signal: stop.aborted ? signal : AbortSignal.any([stop, signal]),
    }).catch(() => undefined);
    signal.throwIfAborted();
  }
}

/** The job of an attempt whose id was not noted; of several the first, and the others are cancelled. */
async function find(queue: Queue, job: JobProcess, runDir: string): Promise<string | null> {
  const began = await readBegan(runDir);
  const there = (await queue.commands.jobs(queue.nameOf(job.marker))).map(({ id }) => id);
  const first = began?.id ?? there.sort((a, b) => Number(a) - Number(b))[0] ?? null;
  for (const other of there) if (other !== first) await queue.commands.cancel(other);
  return first;
}
