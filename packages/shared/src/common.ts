import { z } from 'zod';
import { nameSchema } from './names.js';

export const idSchema = z.uuid();
/** SHA-256 in lower-case hexadecimal. */
export const hashSchema = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in lower-case hexadecimal');
export const timeSchema = z.iso.datetime();
/** The number of a job or a version in an address; more of them no database column counts. */
export const numberParam = z.coerce
  .number()
  .int()
  .positive()
  .max(2 ** 31 - 1);
/** Milliseconds since 1970, from there to the year 9999. */
export const momentSchema = z.number().int().min(0).max(253_402_300_799_999);
/** Byte counts stay below 2^53. */
export const bytesSchema = z.number().int().nonnegative();

export const pageQuery = z.object({
  cursor: z.string().max(200).optional(),
  limit: z.coerce.number().int().min(1).max(500).default(50),
});

/** A page of a list; `nextCursor` is null on the last. */
export const pageOf = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable() });

/** Names what can be edited of a thing as it is now; it is its ETag too. Sent as `If-Match`, an edit of an older state is refused. */
export const revisionSchema = z.string();

export const projectParams = z.object({ owner: nameSchema, project: nameSchema });
export const datasetParams = z.object({ owner: nameSchema, dataset: nameSchema });
