import type { auditRoutes } from './audit.js';
import type { datasetRoutes } from './datasets.js';
import type { execRoutes } from './exec.js';
import type { invitationRoutes } from './invitations.js';
import type { jobRoutes } from './jobs.js';
import type { logRoutes } from './logs.js';
import type { machineRoutes } from './machines.js';
import type { metricRoutes } from './metrics.js';
import type { notificationRoutes } from './notifications.js';
import type { projectRoutes } from './projects.js';
import type { retentionRoutes } from './retention.js';
import type { scheduleRoutes } from './schedules.js';
import type { sessionRoutes } from './sessions.js';
import type { snapshotRoutes } from './snapshots.js';
import type { storageRoutes } from './storage.js';
import type { summaryRoutes } from './summaries.js';
import type { teamRoutes } from './teams.js';
import type { tensorboardRoutes } from './tensorboards.js';
import type { tokenRoutes, userRoutes } from './users.js';

type Values<T> = T[keyof T];
type UserRoute =
  | Values<typeof auditRoutes>
  | Values<typeof datasetRoutes>
  | Values<typeof execRoutes>
  | Values<typeof invitationRoutes>
  | Values<typeof jobRoutes>
  | Values<typeof logRoutes>
  | Values<typeof machineRoutes>
  | Values<typeof metricRoutes>
  | Values<typeof notificationRoutes>
  | Values<typeof projectRoutes>
  | Values<typeof retentionRoutes>
  | Values<typeof scheduleRoutes>
  | Values<typeof sessionRoutes>
  | Values<typeof snapshotRoutes>
  | Values<typeof summaryRoutes>
  | Values<typeof teamRoutes>
  | Values<typeof tensorboardRoutes>
  | Values<typeof storageRoutes>
  | Values<typeof tokenRoutes>
  | Values<typeof userRoutes>;

/**
 * The contracts of what people call, by title: `RouteByTitle['GET /v1/jobs']`. Types only, so that the page is typed by
 * the contracts without carrying their zod schemas.
 */
export type RouteByTitle = { [R in UserRoute as `${R['method']} ${R['path']}`]: R };
