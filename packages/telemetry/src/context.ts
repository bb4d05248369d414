import { AsyncLocalStorage } from 'node:async_hooks';

/** What a line of the log, and a call to another program, should tell of the work it belongs to. */
export interface WorkContext {
  requestId?: string;
  jobId?: string;
  attempt?: number;
  /** W3C trace context of the span the work is in: `00-TRACE-SPAN-FLAGS`. */
  traceparent?: string;
}

const storage = new AsyncLocalStorage<WorkContext>();

/** What is known of the work that calls this; empty outside any. */
export const workContext = (): WorkContext => storage.getStore() ?? {};

/** Runs `work`, and all it begins, with these fields beside those it has already. */
export const withContext = <T>(fields: WorkContext, work: () => T): T =>
  storage.run({ ...workContext(), ...fields }, work);
