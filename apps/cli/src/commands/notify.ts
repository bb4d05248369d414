import { setTimeout as sleep } from 'node:timers/promises';
import {
  AppError,
  type EndStatus,
  endStatuses,
  type NotificationChannel,
  nearest,
  notificationRoutes as routes,
} from '@mycloud/shared';
import { openSession, type Session } from '../context.js';
import { projectOf } from '../job-names.js';
import { hint, print, printJson } from '../output.js';
import { paint, table, timeText } from '../text.js';
import { usage } from '../usage.js';

interface Json {
  json?: boolean;
}

export async function notifyAdd(
  address: string,
  { project, on, json }: Json & { project?: string; on?: string },
): Promise<void> {
  const statuses = on === undefined ? undefined : readEnds(on);
  const session = await openSession();
  const at =
    project === undefined ? null : await projectOf(project, { owner: async () => (await session.me()).name });
  const channel = await session.client.call(routes.addChannel, { body: { address, project: at, statuses } });
  if (json) return printJson(channel);
  print(
    `${channel.address} hears of the end of ${channel.project ? `jobs of ${channel.project}` : 'all your jobs'}.`,
  );
  hint(`Try it: mycloud notify test ${channel.address}`);
  if (channel.kind === 'webhook') hint(`What signs it: mycloud notify secret ${channel.address}`);
}

/** `failed,timed_out` */
function readEnds(text: string): EndStatus[] {
  return text.split(',').map((word) => {
    const end = endStatuses.find((status) => status === word.trim());
    if (end) return end;
    const near = nearest(word.trim(), [...endStatuses]);
    throw usage(`--on ${word.trim()}: write ${near[0] ?? endStatuses.join(', ')}`);
  });
}

export async function notifyList({ json }: Json): Promise<void> {
  const session = await openSession();
  const answer = await session.client.call(routes.channels, {});
  if (json) return printJson(answer);
  if (answer.items.length === 0) {
    return hint('None. Add one: mycloud notify add https://…, slack:https://… or name@host');
  }
  const c = paint(process.stdout);
  const rows = answer.items.map((channel) => [
    channel.id,
    channel.kind,
    channel.address,
    channel.project ?? 'all',
    channel.statuses.length === endStatuses.length ? 'all' : channel.statuses.join(','),
    channel.disabledAt ? c.red('disabled') : channel.failingSince ? c.yellow('failing') : 'ok',
  ]);
  print(table(['ID', 'KIND', 'ADDRESS', 'JOBS OF', 'ENDS', 'STATE'], rows));
  for (const { id, address, disabledAt, disabledReason } of answer.items) {
    if (!disabledAt) continue;
    hint(`${address} was disabled ${timeText(disabledAt)}: ${disabledReason}`);
    hint(`  When it is mended: mycloud notify enable ${id}`);
  }
}

export async function notifyRemove(which: string, { json }: Json): Promise<void> {
  const session = await openSession();
  const { id, address } = await channelNamed(session, which);
  await session.client.call(routes.removeChannel, { params: { id } });
  if (json) printJson({ removed: id });
  else print(`${address} hears of nothing any more.`);
}

export async function notifyEnable(which: string, { json }: Json): Promise<void> {
  const session = await openSession();
  const { id } = await channelNamed(session, which);
  const channel = await session.client.call(routes.enableChannel, { params: { id } });
  if (json) printJson(channel);
  else print(`${channel.address} is sent to again.`);
}

/** By its id, or by its address where that stands once. */
async function channelNamed(session: Session, which: string): Promise<NotificationChannel> {
  const { items } = await session.client.call(routes.channels, {});
  const found = items.filter(({ id, address }) => id === which || address === which);
  if (found.length === 1) return found[0]!;
  if (found.length > 1) {
    throw usage(
      `${which} stands there ${found.length} times; say which by its id: ${found.map(({ id }) => id).join(', ')}`,
    );
  }
  const near = nearest(
    which,
    items.map(({ address }) => address),
  );
  throw new AppError('not_found', `there is no address ${which} among yours`, {
    hint:
      near.length > 0
        ? `Did you mean ${near.join(' or ')}?`
        : 'Run `mycloud notify list` to see those there are.',
  });
}

/** Longer than a try may take. */
const testSeconds = 60;

export async function notifyTest(address: string, { json }: Json): Promise<void> {
  const session = await openSession();
  const { id } = await session.client.call(routes.test, { body: { address } });
  const until = Date.now() + testSeconds * 1000;
  let delivery = await session.client.call(routes.delivery, { params: { id } });
  while (delivery.state === 'pending' && Date.now() < until) {
    await sleep(200);
    delivery = await session.client.call(routes.delivery, { params: { id } });
  }
  if (delivery.state !== 'delivered') {
    throw new AppError('unavailable', `${address} was not reached: ${delivery.answer ?? 'no answer yet'}`, {
      hint: 'Look whether the address is right and takes POSTs from this server.',
    });
  }
  if (json) printJson(delivery);
  else print(`Delivered: ${delivery.answer}`);
}

export async function notifyLog({
  json,
  state,
  limit,
}: Json & { state?: string; limit: string }): Promise<void> {
  const wanted = (['pending', 'delivered', 'failed'] as const).find((one) => one === state);
  if (state !== undefined && !wanted) throw usage(`--state ${state}: write pending, delivered or failed`);
  if (!/^[1-9]\d{0,2}$/.test(limit)) throw usage(`--limit ${limit}: write a number up to 500`);
  const session = await openSession();
  const answer = await session.client.call(routes.deliveries, {
    query: { state: wanted, limit: Number(limit) },
  });
  if (json) return printJson(answer);
  if (answer.items.length === 0) return hint('Nothing was sent yet.');
  const c = paint(process.stdout);
  const colour = { delivered: c.green, failed: c.red, pending: c.yellow };
  const rows = answer.items.map((one) => [
    timeText(one.createdAt),
    one.job ?? one.event,
    one.address,
    colour[one.state](one.state),
    String(one.tries),
    [one.answer, one.nextTryAt && one.tries > 0 && `again ${timeText(one.nextTryAt)}`]
      .filter(Boolean)
      .join('; '),
  ]);
  print(table(['WHEN', 'JOB', 'ADDRESS', 'STATE', 'TRIES', 'ANSWER'], rows));
}

export async function notifySecret(
  address: string,
  { json, rotate }: Json & { rotate?: boolean },
): Promise<void> {
  const session = await openSession();
  const answer = await session.client.call(routes.secret, { body: { address, rotate } });
  if (json) return printJson(answer);
  print(answer.secret);
  hint(
    `x-mycloud-signature is v1= and the HMAC-SHA256, by this, of x-mycloud-timestamp, a dot and the body.`,
  );
}
