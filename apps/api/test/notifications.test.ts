import { createHmac } from 'node:crypto';
import { jobRoutes, operatingRoutes, notificationRoutes as routes } from '@mycloud/shared';
import { SMTPServer } from 'smtp-server';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { startDeliveries } from '../src/notifications/loop.js';
import { startReceiver } from './support/receiver.js';
import { refused } from './support/refused.js';
import { at, startWorld, type TestWorker, type World } from './support/world.js';

let world: World;
let worker: TestWorker;
let receiver: Awaited<ReturnType<typeof startReceiver>>;
let smtp: SMTPServer;
const mails: string[] = [];
let loops: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  smtp = new SMTPServer({
    disabledCommands: ['AUTH', 'STARTTLS'],
    onData(stream, _, done) {
      let text = '';
      stream.on('data', (bytes) => (text += bytes));
      stream.on('end', () => {
        mails.push(text);
        done();
      });
    },
  });
  const address = await new Promise<{ port: number }>((resolve) => {
    const server = smtp.listen(0, '127.0.0.1', () => resolve(server.address() as { port: number }));
  });
  world = await startWorld({
    MYCLOUD_OUTGOING_ALLOW: '127.0.0.1',
    MYCLOUD_NOTIFY_RETRY_SECONDS: '0.05',
    MYCLOUD_NOTIFY_GIVE_UP_SECONDS: '2',
    MYCLOUD_PUBLIC_URL: 'https://lab.example',
    SMTP_URL: `smtp://127.0.0.1:${address.port}`,
  });
  worker = await world.worker('w');
});
afterAll(async () => {
  await world.close();
  await new Promise<void>((resolve) => smtp.close(() => resolve()));
});

beforeEach(async () => {
  receiver = await startReceiver((path, nth) => {
    if (path === '/gone') return 410;
    if (path === '/down') return 503;
    return path === '/flaky' && nth < 3 ? 500 : 200;
  });
  loops = [startDeliveries(world.api.deps)];
});
afterEach(async () => {
  for (const loop of loops) await loop.close();
  await world.api.deps.pool.query('DELETE FROM "NotificationChannel"');
  await receiver.close();
});

/** Submits a job and has the worker end it. */
async function endedJob(body: Parameters<World['submit']>[0] = {}, fails = false) {
  const job = await world.submit(body);
  const held = await worker.take();
  await worker.status(held, 'running');
  await worker.metrics(held, crypto.randomUUID(), [{ name: 'val_acc', step: 1, value: 0.75 }]);
  await worker.finish(held, fails ? { reason: 'exit_nonzero', detail: '3', exitCode: 3 } : {});
  return job;
}
const add = (address: string, more: object = {}) =>
  world.lab.call(routes.addChannel, { body: { address, ...more } });
const sent = (path: string, count: number) =>
  world.until(`${count} came to ${path}`, async () =>
    receiver.at(path).length >= count ? receiver.at(path) : undefined,
  );

it('tells a webhook of the end of a job, signed with the secret that its user was told', async () => {
  const address = `${receiver.url}/hook`;
  await add(address);
  const job = await endedJob({ command: 'python train.py' }, true);
  const { headers, body } = (await sent('/hook', 1))[0]!;
  expect(JSON.parse(body)).toMatchObject({
    id: headers['x-mycloud-delivery'],
    event: 'job.ended',
    job: {
      name: job.name,
      status: 'failed',
      reason: 'exit_nonzero',
      message: 'the command exited with 3',
      metrics: { val_acc: 0.75 },
      url: `https://lab.example/${job.name}`,
    },
  });
  const { secret } = await world.lab.call(routes.secret, { body: { address } });
  const signed = (key: string) =>
    `v1=${createHmac('sha256', key).update(`${headers['x-mycloud-timestamp']}.${body}`).digest('hex')}`;
  expect(headers['x-mycloud-signature']).toBe(signed(secret));
  expect(Math.abs(Number(headers['x-mycloud-timestamp']) - Date.now() / 1000)).toBeLessThan(60);
  // Another address, another user and a rotated key have other secrets.
  const other = await world.lab.call(routes.secret, { body: { address: `${address}2` } });
  const eves = await world.eve.call(routes.secret, { body: { address } });
  const rotated = await world.lab.call(routes.secret, { body: { address, rotate: true } });
  expect(new Set([secret, other.secret, eves.secret, rotated.secret]).size).toBe(4);
});

it('tries again until it gets through, with the same words under the same id', async () => {
  await add(`${receiver.url}/flaky`);
  await endedJob();
  const all = await sent('/flaky', 3);
  expect(new Set(all.map(({ body }) => body)).size).toBe(1);
  expect(new Set(all.map(({ headers }) => headers['x-mycloud-delivery'])).size).toBe(1);
  const [delivery] = await world.until('it is noted', async () => {
    const { items } = await world.lab.call(routes.deliveries, { query: { limit: 1 } });
    return items[0]?.state === 'delivered' ? items : undefined;
  });
  expect(delivery).toMatchObject({ tries: 3, answer: 'answered 200', kind: 'webhook' });
});

it('delivers what an api that died had not sent, once, however many apis send', async () => {
  for (const loop of loops) await loop.close();
  loops = [];
  await add(`${receiver.url}/later`);
  const jobs = [];
  for (let i = 0; i < 12; i++) jobs.push(await endedJob());
  expect(receiver.at('/later')).toHaveLength(0);
  const second = await world.startApi();
  loops = [startDeliveries(world.api.deps), startDeliveries(second.deps)];
  await sent('/later', 12);
  await world.until('none is pending', async () => {
    const { items } = await world.lab.call(routes.deliveries, { query: { state: 'pending' } });
    return items.length === 0 ? true : undefined;
  });
  const names = receiver.at('/later').map(({ body }) => JSON.parse(body).job.name);
  expect(names.sort()).toEqual(jobs.map((job) => job.name).sort());
});

it('hears only of the ends and the project that were asked for, and once where several ask', async () => {
  await add(`${receiver.url}/failures`, { statuses: ['failed'] });
  await add(`${receiver.url}/both`);
  await add(`${receiver.url}/both`, { project: { owner: 'lab', project: 'cats' } });
  const good = await endedJob({ notify: [`${receiver.url}/both`, `${receiver.url}/own`] });
  const bad = await endedJob({}, true);
  await sent('/both', 2);
  await sent('/own', 1);
  await sent('/failures', 1);
  await world.until('all is sent', async () => {
    const { items } = await world.lab.call(routes.deliveries, { query: { state: 'pending' } });
    return items.length === 0 ? true : undefined;
  });
  const told = (path: string) => receiver.at(path).map(({ body }) => JSON.parse(body).job.name);
  expect(told('/failures')).toEqual([bad.name]);
  expect(told('/own')).toEqual([good.name]);
  expect(told('/both').sort()).toEqual([good.name, bad.name].sort());
  // What a job names is a secret of its owner's: no view of the job shows it.
  expect(JSON.stringify(await world.get(good))).not.toContain('/own');
});

it('speaks to Slack in its words and to people by e-mail', async () => {
  await add(`slack:${receiver.url}/slack`);
  await add('ann@lab.example');
  const job = await endedJob({ command: 'echo "<b>"', description: 'a & b' }, true);
  const { body, headers } = (await sent('/slack', 1))[0]!;
  const message = JSON.parse(body);
  expect(message.text).toBe(
    `<https://lab.example/${job.name}|${job.name}> failed: the command exited with 3`,
  );
  expect(message.attachments[0].text).toBe('`echo "&lt;b&gt;"`');
  expect(message.attachments[0].fields).toContainEqual({
    title: 'Description',
    value: 'a &amp; b',
    short: true,
  });
  expect(message.attachments[0].fields).toContainEqual({ title: 'val_acc', value: '0.75', short: true });
  expect(headers).not.toHaveProperty('x-mycloud-signature');
  const mail = await world.until('the mail comes', async () => mails.find((text) => text.includes(job.name)));
  expect(mail).toMatch(/^To: ann@lab\.example/m);
  expect(mail).toMatch(new RegExp(`^Subject: ${job.name} failed: the command exited with 3`, 'm'));
  expect(mail).toContain(`https://lab.example/${job.name}`);
});

it('tells of a job that was stopped while it waited', async () => {
  await add(`${receiver.url}/stopped`);
  const job = await world.submit();
  await world.lab.call(jobRoutes.stop, at(job));
  const { body } = (await sent('/stopped', 1))[0]!;
  expect(JSON.parse(body).job).toMatchObject({ name: job.name, status: 'stopped' });
});

it('tells nobody of the jobs of a user who may no longer log in, and again once he may', async () => {
  await add(`${receiver.url}/channel`);
  const set = (to: string) =>
    world.api.deps.pool.query(`UPDATE "User" SET "disabledAt" = ${to} WHERE name = 'lab'`);
  const submit = () => world.submit({ notify: [`${receiver.url}/named`] });
  const [running, waiting] = [await submit(), await worker.take()];
  await worker.status(waiting, 'running');
  await set('now()');
  await worker.finish(waiting);
  await set('NULL');
  const later = await submit();
  const held = await worker.take();
  await worker.status(held, 'running');
  await worker.finish(held);
  const told = async (path: string) => (await sent(path, 1)).map(({ body }) => JSON.parse(body).job.name);
  expect(await told('/named')).toEqual([later.name]);
  expect(await told('/channel')).toEqual([later.name]);
  expect((await world.get(running)).status).toBe('succeeded');
});

it('disables an address that fails for long, or is gone, and says why; its user enables it again', async () => {
  const down = await add(`${receiver.url}/down`);
  const gone = await add(`${receiver.url}/gone`);
  await endedJob();
  const disabled = await world.until('both are disabled', async () => {
    const { items } = await world.lab.call(routes.channels, {});
    return items.every((channel) => channel.disabledAt) ? items : undefined;
  });
  const reasonOf = (id: string) => disabled.find((channel) => channel.id === id)?.disabledReason;
  expect(reasonOf(gone.id)).toBe('it says that it is gone: answered 410');
  expect(reasonOf(down.id)).toBe('nothing got through for too long: answered 503');
  expect(receiver.at('/gone')).toHaveLength(1);
  expect(receiver.at('/down').length).toBeGreaterThan(2);
  const before = receiver.at('/down').length;
  await endedJob();
  expect(receiver.at('/down')).toHaveLength(before);
  const enabled = await world.lab.call(routes.enableChannel, { params: { id: down.id } });
  expect(enabled).toMatchObject({ disabledAt: null, failingSince: null });
  await endedJob();
  await sent('/down', before + 1);
});

it('refuses what it could not send to when it is named, and says what to write', async () => {
  expect((await refused(add('nonsense'))).errors?.[0]?.message).toMatch(/write https:\/\/HOST\/PATH/);
  const inside = await refused(add('http://169.254.169.254/latest/meta-data'));
  expect(inside).toMatchObject({ code: 'bad_request' });
  expect(inside.message).toMatch(/is not a public address/);
  const job = await refused(world.submit({ notify: ['http://10.1.2.3/x'] }));
  expect(job.message).toMatch(/is not a public address/);
  const mailless = await startWorld();
  try {
    const body = { address: 'ann@lab.example' };
    const refusal = await refused(mailless.lab.call(routes.addChannel, { body }));
    expect(refusal.message).toBe('this server sends no e-mail, so ann@lab.example would hear nothing');
  } finally {
    await mailless.close();
  }
});

it('keeps one user from what is another’s', async () => {
  const channel = await add(`${receiver.url}/mine`);
  await endedJob();
  await sent('/mine', 1);
  expect((await world.eve.call(routes.channels, {})).items).toEqual([]);
  expect((await world.eve.call(routes.deliveries, {})).items).toEqual([]);
  for (const route of [routes.removeChannel, routes.enableChannel]) {
    expect(await refused(world.eve.call(route, { params: { id: channel.id } }))).toMatchObject({
      code: 'not_found',
    });
  }
  const { items } = await world.lab.call(routes.deliveries, {});
  expect(await refused(world.eve.call(routes.delivery, { params: { id: items[0]!.id } }))).toMatchObject({
    code: 'not_found',
  });
  expect(await refused(world.eve.call(operatingRoutes.checks, {}))).toMatchObject({ code: 'forbidden' });
});

it('sends a test by the same way, and tells at once what came of it', async () => {
  const sends = async (path: string) => {
    const { id } = await world.lab.call(routes.test, { body: { address: `${receiver.url}${path}` } });
    return world.until('it is over', async () => {
      const delivery = await world.lab.call(routes.delivery, { params: { id } });
      return delivery.state === 'pending' ? undefined : delivery;
    });
  };
  expect(await sends('/hello')).toMatchObject({ event: 'test', state: 'delivered', job: null });
  expect(JSON.parse(receiver.at('/hello')[0]!.body)).toMatchObject({ event: 'test', job: null });
  expect(await sends('/down')).toMatchObject({ state: 'failed', tries: 1, answer: 'answered 503' });
});
