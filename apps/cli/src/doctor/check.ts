import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** What one look found. `problem`: something asked for can't work; `note`: it works, but less well than it could. */
export interface Finding {
  name: string;
  state: 'ok' | 'note' | 'problem';
  text: string;
  /** How to mend it. */
  hint?: string;
}

/** What a program prints on stdout; undefined when it isn't there or fails. @param env variables besides our own */
export async function said(
  program: string,
  args: string[],
  env: Record<string, string> = {},
): Promise<string | undefined> {
  try {
    return (
      await promisify(execFile)(program, args, { timeout: 10_000, env: { ...process.env, ...env } })
    ).stdout.trim();
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}
