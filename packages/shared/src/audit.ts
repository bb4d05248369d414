import { z } from 'zod';
import { idSchema, pageQuery, timeSchema } from './common.js';
import { nameSchema } from './names.js';
import { defineRoute } from './route.js';

/** Who did what, on what, from where, and how it ended. */
export const auditEntrySchema = z.object({
  id: z.string(),
  time: timeSchema,
  /** null: somebody who could not log in. */
  user: z.string().nullable(),
  userId: idSchema.nullable(),
  /** How he was known: `page`, `password`, `link`, or the name of his token. */
  via: z.string(),
  /** Such as `stop job`. */
  action: z.string(),
  /** Such as lab/projects/dogsvscats/12. */
  target: z.string(),
  detail: z.record(z.string(), z.unknown()),
  /** Where the call came from, as the server saw it. */
  address: z.string(),
  /** `done`, or the code of the error. */
  outcome: z.string(),
});
export type AuditEntry = z.infer<typeof auditEntrySchema>;

export const auditRoutes = {
  list: defineRoute({
    method: 'GET',
    path: '/v1/audit',
    auth: 'admin',
    tag: 'audit',
    summary: 'Who did what, newest first',
    query: pageQuery.extend({
      user: nameSchema.optional(),
      action: z.string().max(100).optional(),
      /** Part of what it was done on. */
      target: z.string().max(200).optional(),
      since: timeSchema.optional(),
      until: timeSchema.optional(),
    }),
    response: z.object({ items: z.array(auditEntrySchema), nextCursor: z.string().nullable() }),
  }),
};
