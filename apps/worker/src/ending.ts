import { constants } from 'node:os';
import { AppError, type Reason } from '@mycloud/shared';
import type { AttemptState } from './attempt-folder.js';
import { isDiskFull } from './disk.js';
import { EnvironmentError } from './environments/environment.js';
import { InputError } from './inputs.js';

type End = NonNullable<AttemptState['end']>;

const signalNames = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]));

export interface ExitFacts {
  /** null: the supervisor was killed before it could write it. */
  exitCode: number | null;
  /** What the job printed last. */
  recent: readonly string[];
  command: string;
  peakMemory: number;
  memoryLimit: number;
  /** Nothing of it was left when a worker came to adopt it: the machine was restarted, or whatever took the worker took it too. */
  vanished: boolean;
}

/** Why a command that ran ended, by its exit code as a shell gives it. */
export function endOfExit(facts: ExitFacts): End {
  const { exitCode } = facts;
  if (exitCode === 0) return { reason: 'exit_zero', detail: '', exitCode };
  if (exitCode === null && facts.vanished)
    return {
      reason: 'worker_lost',
      detail: 'the processes of the job were gone when the worker came back',
      exitCode,
    };
  if (exitCode === null) return { ...endOfSignal('SIGKILL', facts), exitCode };
  const notFound = facts.recent.findLast((line) => /not found|No such file/.test(line));
  if (exitCode === 127 && notFound) {
    const detail = notFound.replace(/^.*?: line \d+: /, '').replace(/^\/bin\/\w+: (\d+: )?/, '');
    return { reason: 'command_not_found', detail, exitCode };
  }
  const signal = exitCode > 128 ? signalNames.get(exitCode - 128) : undefined;
  if (signal) return { ...endOfSignal(signal, facts), exitCode };
  return { reason: 'exit_nonzero', detail: String(exitCode), exitCode };
}

function endOfSignal(signal: string, facts: ExitFacts): { reason: Reason; detail: string } {
  const gib = (bytes: number): string => (bytes / 2 ** 30).toFixed(1);
  // Nobody says who sent a SIGKILL; next to the limit it was the kernel.
  if (signal === 'SIGKILL' && facts.peakMemory > 0.9 * facts.memoryLimit) {
    const detail = `used ${gib(facts.peakMemory)} of ${gib(facts.memoryLimit)} GiB`;
    return { reason: 'out_of_memory', detail };
  }
  return { reason: 'killed_by_signal', detail: signal };
}

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
  const hint = error instanceof AppError && error.hint ? ` (${error.hint})` : '';
  return end('worker_error', message + hint);
}
