import { AppError } from '@mycloud/shared';

/** A place in a list that is sorted by (createdAt, id), newest first; opaque to the caller. */
export interface Place {
  createdAt: Date;
  id: string;
}

const encode = ({ createdAt, id }: Place): string =>
  Buffer.from(`${createdAt.toISOString()} ${id}`).toString('base64url');

/** @throws AppError bad_request for a cursor that no answer gave */
function decode(cursor: string): Place {
  const [time = '', id = ''] = Buffer.from(cursor, 'base64url').toString().split(' ');
  const createdAt = new Date(time);
  if (Number.isNaN(createdAt.getTime()) || !/^[0-9a-f-]{36}$/.test(id)) {
    throw new AppError('bad_request', 'this cursor is none of ours', {
      hint: 'Begin again without a cursor.',
    });
  }
  return { createdAt, id };
}

export const newestFirst = [{ createdAt: 'desc' as const }, { id: 'desc' as const }];

/** The `where` of what comes after a cursor. */
export function after(cursor: string | undefined) {
  if (!cursor) return {};
  const { createdAt, id } = decode(cursor);
  return { OR: [{ createdAt: { lt: createdAt } }, { createdAt, id: { lt: id } }] };
}

/** Makes a page of `limit` out of limit + 1 rows. */
export function page<R extends Place, T>(
  rows: R[],
  limit: number,
  view: (row: R) => T,
): { items: T[]; nextCursor: string | null } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return { items: shown.map(view), nextCursor: rows.length > limit && last ? encode(last) : null };
}
