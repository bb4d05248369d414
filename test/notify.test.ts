import { createHmac } from 'node:crypto';
import type { Delivery, NotificationChannel } from '@mycloud/shared';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startReceiver } from '../apps/api/test/support/receiver.js';
import { eventually, startServer, type TestServer } from './support/server.js';

let server: TestServer;
let receiver: Awaited<ReturnType<typeof startReceiver>>;
let cwd: string;
beforeAll(async () => {
  receiver = await startReceiver();
  server = await startServer({ env: { MYCLOUD_OUTGOING_ALLOW: '127.0.0.1' } });
  cwd = await server.project('cats', { 'a.txt': 'a' });
});
afterAll(async () => {
  await server?.remove();
  await receiver?.close();
});

it('tells the address that a run names of its end, verified by the secret that the terminal shows', async () => {
  const address = `${receiver.url}/run`;
  const { code, stderr } = await server.cli(['run', '--notify', address, 'exit 3'], { cwd });
  expect(code, stderr).toBe(0);
  const { body, headers } = await eventually('it is told', async () => receiver.at('/run')[0]);
  expect(JSON.parse(body).job).toMatchObject({ project: 'cats', status: 'failed', exitCode: 3 });
  const secret = (await server.cli(['notify', 'secret', address])).stdout.trim();
  const signed = createHmac('sha256', secret)
    .update(`${headers['x-mycloud-timestamp']}.${body}`)
    .digest('hex');
  expect(headers['x-mycloud-signature']).toBe(`v1=${signed}`);
});

it('is added, listed, looked at and removed on the terminal', async () => {
  const address = `${receiver.url}/all`;
  const added = await server.cli(['notify', 'add', address, '--on', 'succeeded', '--project', 'cats']);
  expect(added.stdout).toMatch(/hears of the end of jobs of \w+\/projects\/cats\.\n$/);
  await server.cli(['run', 'true'], { cwd });
  await eventually('it is told', async () => receiver.at('/all')[0]);
  const log = await eventually('it is noted', async () => {
    const { items } = await server.json<{ items: Delivery[] }>(['notify', 'log', '--state', 'delivered']);
    return items.some((one) => one.address === address) && items;
  });
  expect(log.find((one) => one.address === address)).toMatchObject({ tries: 1, answer: 'answered 204' });
  const { items } = await server.json<{ items: NotificationChannel[] }>(['notify', 'list']);
  expect(items).toEqual([expect.objectContaining({ address, statuses: ['succeeded'], disabledAt: null })]);
  const slip = await server.cli(['notify', 'remove', `${address}l`]);
  expect([slip.code, slip.stderr]).toEqual([1, expect.stringContaining(`Did you mean ${address}?`)]);
  expect((await server.cli(['notify', 'remove', address])).stdout).toContain('hears of nothing any more');
  expect((await server.cli(['notify', 'add', 'nobody', '--on', 'finished'])).code).toBe(2);
});
