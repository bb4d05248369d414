import { version } from '@mycloud/shared/browser';
import { asksForTraces, openTracing, workContext } from '@mycloud/telemetry/tracing';

/** Servers and followers live longer than a span should. */
const untraced = new Set(['up', 'complete', 'completion', 'exec']);

/** Runs a command as the root of a trace, where OpenTelemetry's variables name a place to send it to. */
export async function traced(words: string[], command: () => Promise<unknown>): Promise<void> {
  const [name = ''] = words;
  if (!asksForTraces(process.env) || untraced.has(name)) {
    await command();
    return;
  }
  const tracing = await openTracing('mycloud-cli', version, true);
  try {
    await tracing.span(`mycloud ${name}`, { kind: 'client', parent: null }, command);
  } finally {
    await tracing.close();
  }
}

/** What a call is part of. */
export function callHeaders(): Record<string, string> {
  const { traceparent } = workContext();
  return traceparent ? { traceparent } : {};
}
