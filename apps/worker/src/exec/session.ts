import type { Readable, Writable } from 'node:stream';
import type { ExecStart } from '@mycloud/shared';

/** Every process of a session has it in its environment, and is found by it. */
export const sessionVariable = 'MYCLOUD_EXEC';

/** A command to be run beside a job. */
export interface ExecRequest {
  /** Program and arguments; none: an interactive shell. */
  argv: string[];
  /** The job's own. */
  env: Record<string, string>;
  terminal: ExecStart['terminal'];
  /** Value of sessionVariable, unique. */
  session: string;
}

/** One that runs. */
export interface ExecSession {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** null: it has a terminal, where both are one. */
  readonly stderr: Readable | null;
  resize(columns: number, rows: number): void;
  /** Its exit code, 128 + n for a signal, once it and all it began have ended. Never rejects. */
  readonly ended: Promise<number>;
  /** SIGKILL to all of it. */
  kill(): void;
}
