/**
 * Does `work` for every item, at most `limit` at a time. After a failure no further item is begun; the first error
 * is thrown once those under way have ended, so that nothing works on behind the caller's back.
 */
export async function eachLimit<T>(
  items: Iterable<T>,
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  let failed = false;
  let failure: unknown;
  const runner = async (): Promise<void> => {
    for (let next = iterator.next(); !next.done && !failed; next = iterator.next()) {
      try {
        await work(next.value);
      } catch (error) {
        if (!failed) failure = error;
        failed = true;
      }
    }
  };
  await Promise.all(Array.from({ length: limit }, runner));
  if (failed) throw failure;
}
