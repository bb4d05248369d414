import { AppError } from '@mycloud/shared';

/**
 * Reads a Range header of one range of bytes (RFC 9110 §14). Another unit, or several ranges, is as if there were none.
 * @param size bytes of the whole
 * @throws AppError bad_request for a range that begins behind the end
 */
export function parseRange(
  header: string | undefined,
  size: number,
): { start: number; end: number } | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (!match || (match[1] === '' && match[2] === '')) return undefined;
  const start = match[1] === '' ? Math.max(0, size - Number(match[2])) : Number(match[1]);
  const end = match[1] === '' || match[2] === '' ? size - 1 : Math.min(Number(match[2]), size - 1);
  if (start > end) throw new AppError('bad_request', `the range ${header} lies outside the ${size} bytes`);
  return { start, end };
}
