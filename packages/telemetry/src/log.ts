import { type Logger, pino } from 'pino';
import { workContext } from './context.js';
import { traceIdOf } from './tracing.js';

/**
 * The log of a program: one JSON object a line on stdout. Each line says which program and host it is of, and the request,
 * job, attempt and trace it was written for.
 */
export function openLog(app: string, level: string, base: Record<string, unknown> = {}): Logger {
  return pino({
    level,
    base: { app, ...base },
    mixin: () => {
      const { traceparent, ...fields } = workContext();
      const traceId = traceIdOf(traceparent);
      return traceId ? { ...fields, traceId } : { ...fields };
    },
    // What the line itself says of its job is nearer than what surrounds it.
    mixinMergeStrategy: (line, mixin) => ({ ...mixin, ...line }),
  });
}
