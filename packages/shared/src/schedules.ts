import { z } from 'zod';
import { idSchema, projectParams, timeSchema } from './common.js';
import { createJobBody } from './job-settings.js';
import { jobSchema } from './jobs.js';
import { nameSchema } from './names.js';
import { defineRoute } from './route.js';

export const scheduleOverlaps = ['skip', 'queue'] as const;
export type ScheduleOverlap = (typeof scheduleOverlaps)[number];

export const scheduleRunSchema = z.object({
  /** When it was due, or asked for. */
  dueAt: timeSchema,
  ranAt: timeSchema,
  outcome: z.enum(['submitted', 'skipped', 'failed']),
  /** Why it was skipped or failed. */
  message: z.string(),
  /** lab/projects/dogsvscats/12; null: none was submitted, or it was deleted. */
  job: z.string().nullable(),
  /** By a person's word and not by the clock. */
  manual: z.boolean(),
});
export type ScheduleRun = z.infer<typeof scheduleRunSchema>;

export const scheduleSchema = z.object({
  id: idSchema,
  owner: nameSchema,
  project: nameSchema,
  name: nameSchema,
  cron: z.string(),
  timezone: z.string(),
  overlap: z.enum(scheduleOverlaps),
  paused: z.boolean(),
  /** null while it is paused. */
  nextRunAt: timeSchema.nullable(),
  command: z.string(),
  machine: z.string(),
  environment: z.string(),
  mounts: z.array(z.object({ source: z.string(), name: z.string() })),
  codeSnapshotId: idSchema.nullable(),
  createdAt: timeSchema,
  /** The newest first, at most ten. */
  runs: z.array(scheduleRunSchema),
});
export type Schedule = z.infer<typeof scheduleSchema>;

const cronSchema = z.string().trim().min(1).max(200);
const timezoneSchema = z.string().trim().min(1).max(100);

export const createScheduleBody = z.object({
  /** Not given: schedule-1, schedule-2 … */
  name: nameSchema.optional(),
  /** Five fields: minute, hour, day of the month, month, day of the week; or @hourly, @daily, @weekly, @monthly, @yearly. */
  cron: cronSchema,
  timezone: timezoneSchema.default('UTC'),
  /** While its last job has not ended: `skip` that time, or `queue` another. */
  overlap: z.enum(scheduleOverlaps).default('skip'),
  /** What is submitted each time. A dataset without a version means its newest at that time. */
  job: createJobBody,
});
export type CreateSchedule = z.input<typeof createScheduleBody>;

const tag = 'schedules';
const base = '/v1/projects/:owner/:project/schedules';
const byName = projectParams.extend({ name: nameSchema });
export const scheduleRoutes = {
  create: defineRoute({
    method: 'POST',
    path: base,
    audit: 'create schedule',
    auditShows: ['cron', 'timezone'],
    auth: 'user',
    tag,
    errors: ['conflict'],
    summary: 'Makes a schedule, which submits a job at each of its times',
    example: {
      params: { owner: 'lab', project: 'dogsvscats' },
      body: {
        name: 'nightly',
        cron: '0 3 * * *',
        timezone: 'Europe/Berlin',
        job: { command: 'train --epochs 30' },
      },
    },
    status: 201,
    params: projectParams,
    body: createScheduleBody,
    response: scheduleSchema,
  }),
  list: defineRoute({
    method: 'GET',
    path: '/v1/schedules',
    auth: 'user',
    tag,
    summary: 'Your schedules, with their last runs; an admin sees all',
    query: z.object({ owner: nameSchema.optional(), project: nameSchema.optional() }),
    response: z.object({ items: z.array(scheduleSchema) }),
  }),
  get: defineRoute({
    method: 'GET',
    path: `${base}/:name`,
    auth: 'user',
    tag,
    summary: 'One schedule',
    params: byName,
    response: scheduleSchema,
  }),
  update: defineRoute({
    method: 'PATCH',
    path: `${base}/:name`,
    audit: 'edit schedule',
    auditShows: ['cron', 'timezone', 'paused'],
    auth: 'user',
    tag,
    summary: 'Pauses or resumes a schedule, or changes its times',
    params: byName,
    body: z
      .object({
        paused: z.boolean(),
        cron: cronSchema,
        timezone: timezoneSchema,
        overlap: z.enum(scheduleOverlaps),
      })
      .partial(),
    response: scheduleSchema,
  }),
  run: defineRoute({
    method: 'POST',
    path: `${base}/:name/run`,
    audit: 'run schedule',
    auth: 'user',
    tag,
    errors: ['conflict'],
    summary: 'Submits its job now, beside its times',
    status: 201,
    params: byName,
    response: jobSchema,
  }),
  delete: defineRoute({
    method: 'DELETE',
    path: `${base}/:name`,
    audit: 'delete schedule',
    auth: 'user',
    tag,
    summary: 'Deletes a schedule; the jobs it submitted stay',
    params: byName,
  }),
};
