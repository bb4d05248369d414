import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
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
import { nodeFetch } from '../src/node-fetch.js';

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

describe.each([
  ['fetch', fetch],
  ['nodeFetch', nodeFetch],
] as const)('by %s', (_, way) => {
  it('fills the path, the query and the token, and parses the answer', async () => {
    let seen = '';
    const url = await listen((request, response) => {
      seen = `${request.method} ${request.url} ${request.headers.authorization}`;
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ items: [], nextCursor: null, cut: false }));
    });
    const page = await createClient({ fetch: way, url, token: 'myc_x' }).call(jobRoutes.list, {
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
    const call = createClient({ fetch: way, url }).call(projectRoutes.get, {
      params: { owner: 'lab', project: 'cat' },
    });
    await expect(call).rejects.toMatchObject({ code: 'not_found', message: said.message, hint: said.hint });
  });

  it('waits for an answer longer than the server keeps idle connections', async () => {
    const url = await listen((request, response) => {
      setTimeout(() => response.end('{}'), request.url === '/slow' ? 1600 : 0);
    });
    // It tells clients so; a second before, they let go of what is idle.
    if (server) server.keepAliveTimeout = 2000;
    for (const path of ['/', '/slow', '/', '/slow']) {
      const answer = await way(url + path, { method: 'POST', body: '{}' });
      expect(await answer.json()).toEqual({});
    }
  });

  it('says that nobody answers', async () => {
    const url = await listen(() => undefined);
    server?.close();
    await expect(
      createClient({ fetch: way, url: 'http://127.0.0.1:1' }).call(userRoutes.me, {}),
    ).rejects.toMatchObject({
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
    const response = await createClient({ fetch: way, url }).open(logRoutes.stream, {
      params: { owner: 'lab', project: 'cats', number: 1 },
    });
    const events = [];
    for await (const event of readEvents(response)) events.push(event);
    expect(events).toMatchObject([{ id: '1.2', event: 'lines', data: '{"a":"ä"}' }, { event: 'end' }]);
  });

  it('gives the reason of the signal, before the answer and in the middle of it', async () => {
    const url = await listen((request, response) => {
      if (request.url?.endsWith('/stream')) response.writeHead(200).write(': alive\n\n');
    });
    const client = createClient({ fetch: way, url });
    const early = new AbortController();
    const asked = client.call(userRoutes.me, {}, { signal: early.signal });
    early.abort(new Error('enough'));
    await expect(asked).rejects.toThrow('enough');
    const late = new AbortController();
    const params = { owner: 'lab', project: 'cats', number: 1 };
    const answer = await client.open(logRoutes.stream, { params }, { signal: late.signal });
    const rest = answer.text();
    late.abort(new Error('enough'));
    await expect(rest).rejects.toThrow('enough');
  });

  it('tells an answer that breaks off from one that ends', async () => {
    const url = await listen((_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': 100 });
      response.write('{"items":', () => response.destroy());
    });
    await expect(createClient({ fetch: way, url }).call(jobRoutes.list, {})).rejects.toBeInstanceOf(
      TypeError,
    );
  });

  it('hangs up when a loop over the body is left', async () => {
    const hungUp = new Promise<void>((resolve) => {
      void listen((_, response) => {
        response.on('close', resolve);
        response.writeHead(200).write('data: {}\n\n');
      }).then(async (url) => {
        const params = { owner: 'lab', project: 'cats', number: 1 };
        for await (const _ of readEvents(
          await createClient({ fetch: way, url }).open(logRoutes.stream, { params }),
        ))
          break;
      });
    });
    await hungUp;
  });
});

it('asks again where a kept connection had just been closed', async () => {
  let calls = 0;
  const url = await listen((request, response) => {
    calls += 1;
    // The second is hung up on without an answer, as by a server that let go of an idle connection.
    if (calls === 2) request.socket.destroy();
    else
      response
        .setHeader('content-type', 'application/json')
        .end('{"items":[],"nextCursor":null,"cut":false}');
  });
  const client = createClient({ fetch: nodeFetch, url });
  for (let i = 0; i < 2; i++) expect((await client.call(jobRoutes.list, {})).items).toEqual([]);
  expect(calls).toBe(3);
});

it('sends bytes with their length', async () => {
  const seen: unknown[] = [];
  const url = await listen((request, response) => {
    seen.push(request.headers['content-length'], request.headers['transfer-encoding']);
    request.on('data', (bytes: Buffer) => seen.push(...bytes)).on('end', () => response.end());
  });
  await nodeFetch(url, { method: 'POST', body: new Uint8Array([0, 255, 10]) });
  expect(seen).toEqual(['3', undefined, 0, 255, 10]);
});
