import { z } from 'zod';
import { defineRoute } from './route.js';

const days = z.number().int().min(1).max(36_500).nullable();
/** For how many days things are kept; null: for ever. */
export const retentionSchema = z.object({
  /** Logs, after their attempt ended. */
  logs: days,
  /** Outputs, after their job ended; never one that is mounted by a job or is a version of a dataset. */
  outputs: days,
  /** Metrics, after their job ended. */
  metrics: days,
  /** Entries of the audit trail. */
  audit: days,
});
export type Retention = z.infer<typeof retentionSchema>;

const tag = 'retention';
export const retentionRoutes = {
  get: defineRoute({
    method: 'GET',
    path: '/v1/admin/retention',
    auth: 'admin',
    tag,
    summary: 'For how many days logs, outputs, metrics and the audit trail are kept; null: for ever',
    response: retentionSchema,
  }),
  set: defineRoute({
    method: 'PUT',
    path: '/v1/admin/retention',
    audit: 'set retention',
    auditShows: ['logs', 'outputs', 'metrics', 'audit'],
    auth: 'admin',
    tag,
    summary: 'Changes what is said; what is older goes within the hour',
    body: retentionSchema.partial(),
    response: retentionSchema,
  }),
};
