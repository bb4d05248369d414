import { AppError } from '@mycloud/shared';

/** The error a call is refused with; a call that is not refused, or breaks otherwise, fails the test. */
export async function refused(call: Promise<unknown>): Promise<AppError> {
  const error = await call.then(
    () => new Error('it was not refused'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof AppError)) throw error;
  return error;
}
