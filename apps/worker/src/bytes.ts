/** `7.9 of 8.0 GiB`, in the unit that suits the second number. */
export function ofBytes(used: number, limit: number): string {
  const [unit, size] = limit < 2 ** 30 ? ['MiB', 2 ** 20] : ['GiB', 2 ** 30];
  return `${(used / size).toFixed(1)} of ${(limit / size).toFixed(1)} ${unit}`;
}

/** `1.5 GiB` */
export const inBytes = (bytes: number): string =>
  bytes < 2 ** 30 ? `${(bytes / 2 ** 20).toFixed(1)} MiB` : `${(bytes / 2 ** 30).toFixed(1)} GiB`;
