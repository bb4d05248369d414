import { AppError } from '@mycloud/shared';

/** Postgres stores neither NUL nor half a surrogate pair: both become U+FFFD, as invalid UTF-8 does. */
export function storable(text: string): string {
  // Nearly all text is: a job prints 50,000 lines a second.
  if (text.isWellFormed() && !text.includes('\0')) return text;
  return text.replaceAll('\0', '\ufffd').toWellFormed();
}

/** 1st, 2nd, 3rd, 4th … */
export function ordinal(n: number): string {
  const rest = n % 100;
  const suffix = rest >= 11 && rest <= 13 ? 'th' : (['th', 'st', 'nd', 'rd'][n % 10] ?? 'th');
  return `${n}${suffix}`;
}

/** @param texts what a person sent, by field. @throws AppError bad_request: Postgres stores no NUL */
export function refuseNul(texts: Record<string, string>): void {
  const errors = Object.entries(texts)
    .filter(([, text]) => text.includes('\0'))
    .map(([path]) => ({ path, message: 'a NUL character is not allowed' }));
  if (errors.length > 0) throw new AppError('bad_request', 'a text holds NUL characters', { errors });
}
