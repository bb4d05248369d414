import { AppError } from '@mycloud/shared/browser';

/** Ends the program with a code and nothing more to say. */
export class ExitCode extends Error {
  constructor(readonly code: number) {
    super(`exit ${code}`);
  }
}

/** 0, 1 error, 2 usage, 4 not logged in. */
export function exitCodeOf(error: unknown): number {
  return error instanceof AppError && error.code === 'unauthenticated' ? 4 : 1;
}
