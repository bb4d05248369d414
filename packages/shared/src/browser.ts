/**
 * What the page takes of this package: the client, the tables and the types; nothing that carries zod.
 * A test of the page's bundle holds it to that.
 */
export { bestOf, betterWay } from './better.js';
export { type Extra, send } from './client.js';
export { commandParts } from './command-words.js';
export type { Dataset, DatasetUse, Version } from './datasets.js';
export { parseSeconds, secondsText } from './duration.js';
export { AppError } from './errors.js';
export type { EditJob, RestartJob } from './job-settings.js';
export type { Job, JobEvent } from './jobs.js';
export type { LogLine } from './logs.js';
export type { QueuedJob, WorkerInfo, WorkerUse } from './machines.js';
export type { SeriesPoint } from './metrics.js';
export type { JobRef } from './names.js';
export { pageHeader } from './page-header.js';
export type { Project } from './projects.js';
export { isEnd, type JobStatus, jobStatuses } from './reasons.js';
export type { RouteInput, RouteOutput } from './route.js';
export type { RouteByTitle } from './routes.js';
export type { Schedule, ScheduleRun } from './schedules.js';
export { shellWord } from './shell.js';
export type { FileEntry, TreeChange } from './snapshots.js';
export type { Summaries } from './summaries.js';
export type { Tensorboard } from './tensorboards.js';
export type { Token, User } from './users.js';
export { version } from './version.js';
