import { z } from 'zod';
import { momentSchema } from './common.js';
import { jobParams } from './jobs.js';
import { defineRoute } from './route.js';

/** Longer lines are split by the worker; every piece but the last is marked `more`. UTF-8 bytes. */
export const maxLineBytes = 16 * 1024;
export const maxLinesPerBatch = 5_000;
/** So many may come with the end of their attempt. */
export const maxLastLines = 100;

export const logLineSchema = z.object({
  /** 1, 2, 3 … within its attempt: no gaps, no repeats. */
  seq: z.number().int().positive(),
  attempt: z.number().int().positive(),
  /** Milliseconds since 1970. */
  time: momentSchema,
  source: z.enum(['job', 'system']),
  text: z.string(),
  /** The line goes on in the next one. */
  more: z.boolean().optional(),
});
export type LogLine = z.infer<typeof logLineSchema>;

/** A follower's place: the last line it has. Written `attempt.seq`. */
export const logCursorSchema = z.string().regex(/^\d{1,9}\.\d{1,15}$/, 'a cursor is ATTEMPT.SEQ');

const tag = 'logs';
const base = '/v1/projects/:owner/:project/jobs/:number/logs';
export const logRoutes = {
  range: defineRoute({
    method: 'GET',
    path: base,
    auth: 'user',
    tag,
    summary: 'Lines after a cursor, or the last ones',
    example: {
      params: { owner: 'lab', project: 'dogsvscats', number: 1 },
      query: { after: '0.0', limit: 1000 },
    },
    params: jobParams,
    query: z.object({
      after: logCursorSchema.optional(),
      tail: z.coerce.number().int().min(0).max(10_000).optional(),
      limit: z.coerce.number().int().min(1).max(10_000).default(1000),
    }),
    /** cursor: of the last line given, to go on from. ended: no further line will come. */
    response: z.object({ lines: z.array(logLineSchema), cursor: z.string(), ended: z.boolean() }),
  }),
  attempts: defineRoute({
    method: 'GET',
    path: `${base}/attempts`,
    auth: 'user',
    tag,
    summary: 'How many lines each attempt has',
    params: jobParams,
    response: z.object({
      items: z.array(
        z.object({ attempt: z.number().int().positive(), lines: z.number().int().nonnegative() }),
      ),
    }),
  }),
  /** One call looks through a bounded part of the log: go on from `cursor` until `ended`. */
  search: defineRoute({
    method: 'GET',
    path: `${base}/search`,
    auth: 'user',
    tag,
    summary: 'Lines that hold a text, upper and lower case alike',
    example: { params: { owner: 'lab', project: 'dogsvscats', number: 1 }, query: { text: 'error' } },
    params: jobParams,
    query: z.object({
      text: z.string().min(1).max(200),
      after: logCursorSchema.optional(),
      limit: z.coerce.number().int().min(1).max(1000).default(200),
    }),
    /** cursor: of the last line looked at. ended: there is none after it now. */
    response: z.object({ lines: z.array(logLineSchema), cursor: z.string(), ended: z.boolean() }),
  }),
  at: defineRoute({
    method: 'GET',
    path: `${base}/at`,
    auth: 'user',
    tag,
    summary: 'The first line printed at a time or after it, or the last one',
    params: jobParams,
    /** Milliseconds since 1970. */
    query: z.object({ time: z.coerce.number().int() }),
    /** null: there is no line. */
    response: z.object({
      place: z.object({ attempt: z.number().int().positive(), seq: z.number().int().positive() }).nullable(),
    }),
  }),
  text: defineRoute({
    method: 'GET',
    path: `${base}/text`,
    auth: 'user',
    tag,
    summary: 'The whole log of the last attempt as text',
    params: jobParams,
    raw: { response: 'text/plain; charset=utf-8' },
  }),
  /**
   * Events: `lines` (data: {lines: LogLine[]}, id: the cursor of the last), `progress` (data: {text}, the line being drawn, no id),
   * `job` (data: Job, at each change of status, no id), `end` (data: Job; no further line will come).
   * Goes on from `Last-Event-ID` or `?after=`.
   */
  stream: defineRoute({
    method: 'GET',
    path: `${base}/stream`,
    auth: 'user',
    tag,
    summary: 'Follows the log by server-sent events',
    params: jobParams,
    query: z.object({
      after: logCursorSchema.optional(),
      tail: z.coerce.number().int().min(0).max(10_000).optional(),
    }),
    raw: { response: 'text/event-stream' },
  }),
};
