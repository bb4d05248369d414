import { z } from 'zod';
import { bytesSchema } from './common.js';
import { nameSchema } from './names.js';
import { defineRoute } from './route.js';

/** What deleting frees, counted. */
export const garbageReportSchema = z.object({
  /** Nothing was changed: the numbers say what would have been. */
  dryRun: z.boolean(),
  /** Another api does it just now. */
  busy: z.boolean(),
  /** Seen for the first time that nothing refers to them; deleted after the grace period. */
  doomedSnapshots: z.number().int().nonnegative(),
  doomedChunks: z.number().int().nonnegative(),
  deletedSnapshots: z.number().int().nonnegative(),
  deletedChunks: z.number().int().nonnegative(),
  /** Packs none of whose chunks is left. */
  deletedPacks: z.number().int().nonnegative(),
  /** Packs less than half full, whose chunks were moved to others. */
  rewrittenPacks: z.number().int().nonnegative(),
  /** Packs that were announced and never came whole. */
  incompletePacks: z.number().int().nonnegative(),
  /** Bytes of objects that are gone from the store. */
  freedBytes: bytesSchema,
});
export type GarbageReport = z.infer<typeof garbageReportSchema>;

export const storageSchema = z.object({
  /** Of all snapshots, as if each were stored for itself. */
  logicalBytes: bytesSchema,
  /** Of the packs that hold them. */
  storedBytes: bytesSchema,
  /** null: no limit. */
  quotaBytes: bytesSchema.nullable(),
});
export type Storage = z.infer<typeof storageSchema>;

const tag = 'storage';
export const storageRoutes = {
  mine: defineRoute({
    method: 'GET',
    path: '/v1/me/storage',
    auth: 'user',
    tag,
    summary: 'What you store, logical and stored, and your quota',
    response: storageSchema,
  }),
  setQuota: defineRoute({
    method: 'PUT',
    path: '/v1/users/:user/quota',
    audit: 'set quota',
    auditShows: ['quotaBytes'],
    auth: 'admin',
    tag,
    summary: 'Limits what a user may store; null: as the server is configured',
    params: z.object({ user: nameSchema }),
    body: z.object({ quotaBytes: bytesSchema.nullable() }),
    response: storageSchema,
  }),
  collectGarbage: defineRoute({
    method: 'POST',
    path: '/v1/admin/gc',
    audit: 'collect garbage',
    auditShows: ['dryRun'],
    auth: 'admin',
    tag,
    summary:
      'Deletes what nothing refers to and the grace period has passed for; the server does it by itself',
    body: z.object({ dryRun: z.boolean().default(false) }),
    response: garbageReportSchema,
  }),
};
