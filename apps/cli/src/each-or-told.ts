import { AppError } from '@mycloud/shared';

/**
 * Does it to each, one after the other; one that fails keeps none of the others from it.
 * @throws AppError at the end, naming all that failed; as it was, where there is only one
 */
export async function eachOrTold<T>(
  things: readonly T[],
  nameOf: (thing: T) => string,
  act: (thing: T) => Promise<void>,
): Promise<void> {
  const failed: { path: string; message: string; error: AppError }[] = [];
  for (const thing of things) {
    try {
      await act(thing);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      failed.push({ path: nameOf(thing), message: error.message, error });
    }
  }
  const [first] = failed;
  if (!first) return;
  if (things.length === 1) throw first.error;
  throw new AppError(first.error.code, `${failed.length} of ${things.length} could not be done`, {
    errors: failed.map(({ path, message }) => ({ path, message })),
    hint: first.error.hint,
  });
}
