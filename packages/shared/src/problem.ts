import { z } from 'zod';
import { type ErrorCode, errorStatus } from './errors.js';

/** RFC 9457 problem+json as the API sends it. */
export const problemSchema = z.object({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  code: z.enum(Object.keys(errorStatus) as [ErrorCode, ...ErrorCode[]]),
  detail: z.string(),
  /** What the person can do next. */
  hint: z.string().optional(),
  /** Facts for programs. */
  details: z.record(z.string(), z.unknown()).optional(),
  /** Every problem of the request. */
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  /** The request's, by which the server's log names it too. */
  requestId: z.string().optional(),
});
export type Problem = z.infer<typeof problemSchema>;
