import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { workerRoutes } from '@mycloud/shared';
import { createNodeClient } from '@mycloud/shared/node';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { answered, untilAnswered } from '../src/retry.js';

const jobId = '00000000-0000-7000-8000-000000000000';
let asked = 0;
/** Takes the first two calls and never answers them, as a connection that is dead does. */
const server = createServer((_, response) => {
  asked += 1;
  if (asked > 2) response.writeHead(204).end();
});
const tell = (limit: AbortSignal) =>
  createNodeClient({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }).call(
    workerRoutes.status,
    { params: { jobId }, body: { attempt: 1, fence: 1, status: 'running' } },
    { signal: limit },
  );

beforeEach(async () => {
  asked = 0;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

test('a call that is not answered is made again', async () => {
  const { signal } = new AbortController();
  await untilAnswered(() => answered(tell, signal, 100), signal);
  expect(asked).toBe(3);
});

test('a call ends with its signal, for its reason', async () => {
  const over = new AbortController();
  const called = untilAnswered(() => answered(tell, over.signal), over.signal);
  await expect.poll(() => asked).toBe(1);
  over.abort(new Error('the lease is over'));
  await expect(called).rejects.toThrow('the lease is over');
});
