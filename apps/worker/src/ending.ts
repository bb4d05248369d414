import { constants } from 'node:os';
import { AppError, type Reason } from '@mycloud/shared';
import type { AttemptState } from './attempt-folder.js';
import { ofBytes } from './bytes.js';
import { isDiskFull } from './disk/room.js';
import { EnvironmentError } from './environments/environment.js';
import { InputError } from './inputs.js';
import type { Limits } from './limits/limits.js';
import { SlurmRefusal } from './slurm/commands.js';

type End = NonNullable<AttemptState['end']>;

const signalNames = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]));

export interface ExitFacts {
  /** null: the supervisor was killed before it could write it. */
  exitCode: number | null;
  /** What the job printed last. */
  recent: readonly string[];
  command: string;
  /** Processes the kernel killed for the job's memory: exact, where cgroups count. */
  oomKills: number;
  /** Bytes. */
  peakMemory: number;
  limits: Limits['kind'];
  memoryLimit: number;
  /** Nothing of it was left when a worker came to adopt it: the machine was restarted, or whatever took the worker took it too. */
  vanished: boolean;
}

/** Why a command that ran ended, by its exit code as a shell gives it. */
export function endOfExit(facts: ExitFacts): End {
  const { exitCode } = facts;
  if (exitCode === 0) return { reason: 'exit_zero', detail: '', exitCode };
  // Whatever code followed: a shell says 1 or 137 when its child was killed.
  if (facts.oomKills > 0) return { reason: 'out_of_memory', detail: usedText(facts), exitCode };
  if (facts.vanished)
    return {
      reason: 'worker_lost',
      detail: 'the processes of the job were gone when the worker came back',
      exitCode: null,
    };
  if (exitCode === null) return { ...endOfSignal('SIGKILL', facts), exitCode };
  const notFound = facts.recent.findLast((line) => /not found|No such file/.test(line));
  if (exitCode === 127 && notFound) {
    const detail = notFound.replace(/^.*?: line \d+: /, '').replace(/^\/bin\/\w+: (\d+: )?/, '');
    return { reason: 'command_not_found', detail, exitCode };
  }
  const refused = facts.limits === 'prlimit' && facts.recent.findLast((line) => refusedMemory.test(line));
  if (refused) return { reason: 'out_of_memory', detail: `${usedText(facts)}: ${refused}`, exitCode };
  const signal = exitCode > 128 ? signalNames.get(exitCode - 128) : undefined;
  if (signal) return { ...endOfSignal(signal, facts), exitCode };
  return { reason: 'exit_nonzero', detail: String(exitCode), exitCode };
}

function endOfSignal(signal: string, facts: ExitFacts): { reason: Reason; detail: string } {
  // Where nobody counts, nobody says who sent a SIGKILL either; next to the limit it was the kernel.
  const uncounted = facts.limits === 'none' || facts.limits === 'prlimit';
  if (uncounted && signal === 'SIGKILL' && facts.peakMemory > 0.9 * facts.memoryLimit) {
    return { reason: 'out_of_memory', detail: usedText(facts) };
  }
  return { reason: 'killed_by_signal', detail: signal };
}

/** What programs say that were refused memory, where limits refuse instead of killing. */
const refusedMemory =
  /MemoryError|bad_alloc|Cannot allocate memory|Allocation failed|out of memory|ENOMEM|memory exhausted/i;

/** `used 7.9 of 8.0 GiB at 14:31`, on this machine's clock. */
const usedText = ({ peakMemory, memoryLimit }: ExitFacts): string =>
  `used ${ofBytes(peakMemory, memoryLimit)} at ${new Date().toTimeString().slice(0, 5)}`;

/** Why an attempt ended whose preparation failed. */
export function endOfFailure(error: unknown): End {
  const message = error instanceof Error ? error.message : String(error);
  const end = (reason: Reason, detail = message): End => ({
    reason,
    detail: detail.slice(0, 10_000),
    exitCode: null,
  });
  if (isDiskFull(error)) return end('disk_full');
  if (error instanceof InputError) return end('input_missing');
  if (error instanceof EnvironmentError) return end('environment_failed');
  if (error instanceof SlurmRefusal) return end('cluster_refused');
  const hint = error instanceof AppError && error.hint ? ` (${error.hint})` : '';
  return end('worker_error', message + hint);
}
