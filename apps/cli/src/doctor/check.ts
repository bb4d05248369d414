import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

export type { Finding } from '@mycloud/shared';

/** What a program prints on stdout; undefined when it isn't there or fails. */
export async function said(program: string, args: string[]): Promise<string | undefined> {
  try {
    return (await promisify(execFile)(program, args, { timeout: 10_000 })).stdout.trim();
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}
