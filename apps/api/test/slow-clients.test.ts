import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { jobRoutes, userRoutes } from '@mycloud/shared';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildApi } from '../src/app.js';
import { adminToken, type RunningApi, startApiAlone } from './support/api.js';
import { refused } from './support/refused.js';

let api: RunningApi;
/** The same api with a patience that a test can wait for. */
let port: number;
let close: () => Promise<unknown>;

beforeAll(async () => {
  api = await startApiAlone();
  const app = await buildApi(api.deps, { headersMs: 400, bodyMs: 600, bytesPerSecond: 1_000, everyMs: 100 });
  port = Number(new URL(await app.listen({ host: '127.0.0.1', port: 0 })).port);
  close = () => app.close();
});
afterAll(async () => {
  await close();
  await api.close();
});

/** What a connection is answered, when these words were sent and nothing more. */
async function answered(words: string, drip?: (socket: Socket) => void): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(words);
  drip?.(socket);
  return text(socket);
}

const post = (length: number): string =>
  `POST /v1/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`;

describe('a client that holds its connection and sends next to nothing', () => {
  it('is answered 408 when the head of its request does not come', async () => {
    const answer = await answered('GET /health HTTP/1.1\r\nHost: x\r\nX-Slow: ');
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
    expect(answer).toContain('"code":"too_slow"');
  });

  it('is answered 408 when its body rests, or trickles', async () => {
    expect(await answered(`${post(1000)}{"name":`)).toMatch(/^HTTP\/1\.1 408 [\s\S]*too_slow/);
    let sent = 0;
    const trickle = (socket: Socket) => {
      const timer = setInterval(() => socket.write('x', () => sent++), 50);
      socket.once('close', () => clearInterval(timer));
      socket.on('error', () => clearInterval(timer));
    };
    expect(await answered(post(100_000), trickle)).toMatch(/^HTTP\/1\.1 408 /);
    expect(sent).toBeGreaterThan(3);
  });

  it('is left to it as long as its body keeps coming', async () => {
    const body = JSON.stringify({ name: 'x'.repeat(60), password: 'y'.repeat(6_000) });
    const steady = (socket: Socket) => {
      let at = 0;
      const timer = setInterval(() => {
        socket.write(body.slice(at, at + 300));
        at += 300;
        if (at >= body.length) clearInterval(timer);
      }, 60);
    };
    // 21 pieces: longer than a body may rest, and fast enough.
    const answer = await answered(post(body.length).replace('Host', 'Connection: close\r\nHost'), steady);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('is no stream of events: what is answered slowly stays open', async () => {
    const leaving = new AbortController();
    const response = await fetch(`http://127.0.0.1:${port}${jobRoutes.stream.path}`, {
      headers: { authorization: `Bearer ${adminToken}` },
      signal: leaving.signal,
    });
    const first = response.body!.getReader();
    const ended = Promise.race([
      first.read().then(() => first.closed.then(() => 'ended')),
      new Promise((resolve) => setTimeout(resolve, 1_500, 'open')),
    ]);
    expect(await ended).toBe('open');
    leaving.abort();
  });
});

describe('what is no request, or too much of one', () => {
  it('is answered as a problem too', async () => {
    expect(await answered('SSH-2.0-OpenSSH\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 [\s\S]*"code":"bad_request"/);
    const head = `GET /health HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(40_000)}\r\n\r\n`;
    expect(await answered(head)).toMatch(/^HTTP\/1\.1 431 [\s\S]*"code":"headers_too_large"/);
  });

  it('is not unpacked: a bomb for a manifest is refused, and the server is well', async () => {
    // 128 MiB of zeros in 128 KiB; there may be no such line.
    const bomb = gzipSync(Buffer.alloc(2 ** 27));
    const response = await fetch(`${api.url}/v1/snapshots`, {
      method: 'POST',
      headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/gzip' },
      body: bomb,
    });
    expect(response.status).toBe(400);
    expect(((await response.json()) as { detail: string }).detail).toContain('not a manifest');
    expect((await fetch(`${api.url}/health`)).status).toBe(200);
  });

  it('is guessed at ten times a minute from one address, and by name from all of them', async () => {
    const body = { name: 'nobody', password: 'guess' };
    const codes: string[] = [];
    for (let i = 0; i < 12; i++) codes.push((await refused(api.as().call(userRoutes.login, { body }))).code);
    expect(codes.at(-1)).toBe('too_many_requests');
    expect(codes.filter((code) => code === 'unauthenticated').length).toBeLessThanOrEqual(10);
  });
});
