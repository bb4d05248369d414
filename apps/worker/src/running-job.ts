import type { ExecRequest, ExecSession } from './exec/session.js';

/** A command that runs now, as others reach it. */
export interface RunningJob {
  env: Record<string, string>;
  exec(request: ExecRequest): Promise<ExecSession>;
  /** The port of this machine that leads to its web server; null: it was told none. */
  port(): Promise<number | null>;
}
