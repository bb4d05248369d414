export * from './context.js';
export * from './log.js';
export * from './prometheus.js';
export * from './tracing.js';
