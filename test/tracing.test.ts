import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Job } from '@mycloud/shared';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually, startServer, type TestServer } from './support/server.js';

interface Span {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  attributes: { key: string; value: { stringValue?: string; intValue?: number } }[];
}
interface ResourceSpans {
  resource: { attributes: Span['attributes'] };
  scopeSpans: { spans: Span[] }[];
}

/** A collector of OpenTelemetry: it keeps the spans it is sent as OTLP over HTTP, with the service each came from. */
const spans: (Span & { service: string })[] = [];
let collector: Server;
let server: TestServer;

beforeAll(async () => {
  collector = createServer((request, response) => {
    let body = '';
    request.on('data', (bytes) => (body += bytes));
    request.on('end', () => {
      const { resourceSpans } = JSON.parse(body) as { resourceSpans: ResourceSpans[] };
      for (const { resource, scopeSpans } of resourceSpans) {
        const service = textOf(resource.attributes, 'service.name') ?? '';
        for (const one of scopeSpans) spans.push(...one.spans.map((span) => ({ ...span, service })));
      }
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  const { port } = collector.address() as AddressInfo;
  server = await startServer({
    env: { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`, OTEL_BSP_SCHEDULE_DELAY: '200' },
  });
});
afterAll(async () => {
  await server?.remove();
  collector?.closeAllConnections();
  collector?.close();
});

const textOf = (attributes: Span['attributes'], key: string): string | undefined =>
  attributes.find((attribute) => attribute.key === key)?.value.stringValue;
const named = (traceId: string, name: string) =>
  spans.find((span) => span.traceId === traceId && span.name === name);

it('follows a job from the command line through the api to each stage on its worker', async () => {
  const cwd = await server.project('cats', { 'a.txt': 'a' });
  const job = await server.json<Job>(['run', 'sleep 0.3'], { cwd });
  await server.ended(job);
  const submitted = await eventually('the submission is traced', async () =>
    spans.find(({ name }) => name === 'POST /v1/projects/:owner/:project/jobs'),
  );
  const { traceId } = submitted;
  await eventually('the attempt is traced', async () => named(traceId, 'attempt'));
  const parentOf = (name: string): string | undefined => {
    const span = named(traceId, name);
    expect(span, name).toBeDefined();
    return spans.find(({ spanId }) => spanId === span!.parentSpanId)?.name;
  };
  expect(named(traceId, 'mycloud run')).toMatchObject({ service: 'mycloud-cli' });
  expect(parentOf('POST /v1/projects/:owner/:project/jobs')).toBe('mycloud run');
  expect(submitted.service).toBe('mycloud-api');
  expect(parentOf('queued')).toBe('POST /v1/projects/:owner/:project/jobs');
  expect(parentOf('claim')).toBe('POST /v1/projects/:owner/:project/jobs');
  expect(parentOf('attempt')).toBe('claim');
  for (const stage of ['prepare', 'run', 'save', 'finish']) expect(parentOf(stage)).toBe('attempt');
  // The worker's calls are part of the stage that makes them.
  await eventually('the end is traced', async () => named(traceId, 'POST /v1/worker/jobs/:jobId/finish'));
  expect(parentOf('POST /v1/worker/jobs/:jobId/finish')).toBe('finish');
  const attempt = named(traceId, 'attempt')!;
  expect(attempt.service).toBe('mycloud-worker');
  expect(textOf(attempt.attributes, 'mycloud.job')).toBe(job.name);
  expect(textOf(attempt.attributes, 'mycloud.reason')).toBe('exit_zero');
  const run = named(traceId, 'run')!;
  expect(Number(BigInt(run.endTimeUnixNano) - BigInt(run.startTimeUnixNano)) / 1e9).toBeGreaterThan(0.25);
});

it('runs as always, and in time, while nobody collects', async () => {
  const cwd = await server.project('dogs', { 'a.txt': 'a' });
  collector.closeAllConnections();
  await new Promise((resolve) => collector.close(resolve));
  const job = await server.json<Job>(['run', 'true'], { cwd });
  expect((await server.ended(job)).status).toBe('succeeded');
});
