import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import {
  AppError,
  createClient,
  jobRoutes,
  logRoutes,
  projectRoutes,
  readEvents,
  toProblem,
  userRoutes,
} from '../src/index.js';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

async function listen(handler: RequestListener): Promise<string> {
  server = createServer(handler);
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it('fills the path, the query and the token, and parses the answer', async () => {
  let seen = '';
  const url = await listen((request, response) => {
    seen = `${request.method} ${request.url} ${request.headers.authorization}`;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ items: [], nextCursor: null, cut: false }));
  });
  const page = await createClient({ url, token: 'myc_x' }).call(jobRoutes.list, {
    query: { project: 'cats', limit: 5 },
  });
  expect(seen).toBe('GET /v1/jobs?project=cats&limit=5 Bearer myc_x');
  expect(page).toEqual({ items: [], nextCursor: null, cut: false });
});

it('throws the error the server said, with its hint', async () => {
  const said = new AppError('not_found', 'there is no project "lab/cat"', { hint: 'Did you mean cats?' });
  const url = await listen((_, response) => {
    response.writeHead(404, { 'content-type': 'application/problem+json' });
    response.end(JSON.stringify(toProblem(said)));
  });
  const call = createClient({ url }).call(projectRoutes.get, { params: { owner: 'lab', project: 'cat' } });
  await expect(call).rejects.toMatchObject({ code: 'not_found', message: said.message, hint: said.hint });
});

it('says that nobody answers', async () => {
  const url = await listen(() => undefined);
  server?.close();
  await expect(createClient({ url: 'http://127.0.0.1:1' }).call(userRoutes.me, {})).rejects.toMatchObject({
    code: 'unavailable',
  });
  expect(url).toContain('127.0.0.1');
});

it('reads server-sent events across any cut of the bytes', async () => {
  const text = 'id: 1.2\nevent: lines\ndata: {"a":"ä"}\n\n: alive\n\nevent: end\ndata: {}\n\n';
  const url = await listen(async (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const byte of Buffer.from(text)) response.write(Buffer.of(byte));
    response.end();
  });
  const response = await createClient({ url }).open(logRoutes.stream, {
    params: { owner: 'lab', project: 'cats', number: 1 },
  });
  const events = [];
  for await (const event of readEvents(response)) events.push(event);
  expect(events).toMatchObject([{ id: '1.2', event: 'lines', data: '{"a":"ä"}' }, { event: 'end' }]);
});
