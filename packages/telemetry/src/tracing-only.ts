/** What the command line takes of this package: neither log nor metrics, which would be read at each start. */
export { workContext } from './context.js';
export { asksForTraces, openTracing } from './tracing.js';
