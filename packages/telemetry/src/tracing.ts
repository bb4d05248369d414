import type { Attributes, Span } from '@opentelemetry/api';
import { withContext, workContext } from './context.js';

export type SpanKind = 'internal' | 'server' | 'client' | 'producer' | 'consumer';

export interface SpanOptions {
  kind?: SpanKind;
  /** traceparent of the span it belongs to; not given: the one the work is in. */
  parent?: string | null;
  attributes?: Attributes;
  /** Milliseconds since 1970; not given: now. */
  startedAt?: number;
}

/** A span under way. */
export interface OpenSpan {
  /** What a call hands on; undefined where nothing is traced and nobody asked. */
  readonly traceparent: string | undefined;
  set(attributes: Attributes): void;
  /** @param error what the work failed with */
  end(error?: unknown): void;
}

/** Traces by OpenTelemetry, or nothing at all. */
export interface Tracing {
  /** A span that is ended by hand. */
  start(name: string, options?: SpanOptions): OpenSpan;
  /** Runs `work` in a span of its own. */
  span<T>(name: string, options: SpanOptions, work: (span: OpenSpan) => Promise<T>): Promise<T>;
  /** Sends what is not sent yet, for a few seconds at most. */
  close(): Promise<void>;
}

const pattern = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;

/** What a caller may have made up is taken for a traceparent only if it is one. */
export const readTraceparent = (text: unknown): string | undefined =>
  typeof text === 'string' && pattern.test(text) && !/^00-(0{32}|.{33}0{16})/.test(text) ? text : undefined;

export const traceIdOf = (traceparent: string | undefined): string | undefined =>
  traceparent && pattern.exec(traceparent)?.[1];

/** Is a place to send traces to named, by OpenTelemetry's own variables? */
export const asksForTraces = (env: Record<string, string | undefined>): boolean =>
  Boolean(env.OTEL_EXPORTER_OTLP_ENDPOINT || env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT) &&
  env.OTEL_SDK_DISABLED?.toLowerCase() !== 'true';

/** Hands on the caller's trace and makes nothing of its own. */
export const noTracing: Tracing = {
  start: (_, { parent } = {}) => ({
    traceparent: parent ?? workContext().traceparent,
    set: () => undefined,
    end: () => undefined,
  }),
  span: (_, options, work) => {
    const span = noTracing.start('', options);
    return withContext({ traceparent: span.traceparent }, () => work(span));
  },
  close: async () => undefined,
};

const closeMs = 3000;

/**
 * Opens tracing for a program: with OTEL_EXPORTER_OTLP_ENDPOINT spans go there as OTLP (HTTP, JSON), otherwise nowhere, and
 * nothing of OpenTelemetry is loaded. OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, OTEL_TRACES_SAMPLER, OTEL_BSP_* and
 * OTEL_EXPORTER_OTLP_* mean what its specification says.
 * @param wanted as asksForTraces said
 */
export async function openTracing(service: string, version: string, wanted: boolean): Promise<Tracing> {
  if (!wanted) return noTracing;
  const [api, sdk, { OTLPTraceExporter }, resources] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace-base'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources'),
  ]);
  const own = resources.resourceFromAttributes({ 'service.name': service, 'service.version': version });
  const provider = new sdk.BasicTracerProvider({
    resource: own.merge(resources.detectResources({ detectors: [resources.envDetector] })),
    spanProcessors: [new sdk.BatchSpanProcessor(new OTLPTraceExporter())],
  });
  const tracer = provider.getTracer('mycloud', version);
  const kinds: Record<SpanKind, number> = {
    internal: api.SpanKind.INTERNAL,
    server: api.SpanKind.SERVER,
    client: api.SpanKind.CLIENT,
    producer: api.SpanKind.PRODUCER,
    consumer: api.SpanKind.CONSUMER,
  };
  const parentOf = (traceparent: string | undefined) => {
    const [, traceId, spanId, flags] = pattern.exec(traceparent ?? '') ?? [];
    if (!traceId || !spanId) return api.ROOT_CONTEXT;
    const context = { traceId, spanId, traceFlags: Number.parseInt(flags ?? '00', 16), isRemote: true };
    return api.trace.setSpanContext(api.ROOT_CONTEXT, context);
  };

  const tracing: Tracing = {
    start(name, { kind = 'internal', parent = workContext().traceparent, attributes, startedAt } = {}) {
      const options = { kind: kinds[kind], attributes, startTime: startedAt };
      const span = tracer.startSpan(name, options, parentOf(parent ?? undefined));
      return {
        traceparent: traceparentOf(span),
        set: (more) => void span.setAttributes(more),
        end(error) {
          if (error !== undefined) {
            const message = error instanceof Error ? error.message : String(error);
            span.setStatus({ code: api.SpanStatusCode.ERROR, message });
          }
          span.end();
        },
      };
    },
    async span(name, options, work) {
      const span = tracing.start(name, options);
      try {
        const result = await withContext({ traceparent: span.traceparent }, () => work(span));
        span.end();
        return result;
      } catch (error) {
        span.end(error);
        throw error;
      }
    },
    async close() {
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, closeMs);
      });
      // Traces that can't be delivered are lost, and hold nobody up.
      await Promise.race([provider.shutdown().catch(() => undefined), late]);
      clearTimeout(timer);
    },
  };
  return tracing;
}

function traceparentOf(span: Span): string {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
}
