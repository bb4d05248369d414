import { AppError, version } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import { viewJob } from '../jobs/view.js';
import { readAddress } from './address.js';
import { email, type Message, pageUrl, slackBody, webhookBody } from './message.js';
import { signature, signingSecret } from './secret.js';

/** A delivery that this api has taken, to be tried now. */
export interface TakenDelivery {
  id: string;
  userId: string;
  channelId: string | null;
  jobId: string | null;
  address: string;
  event: 'job.ended' | 'test';
  body: string | null;
  tries: number;
  createdAt: Date;
}

/** What a try came to. `gone`: the receiver says that it will never take any. */
export interface Tried {
  ok: boolean;
  gone: boolean;
  answer: string;
}

/** Sends one delivery. Its body is made the first time and kept, so that a repeat is the same. Never throws. */
export async function send(deps: Deps, delivery: TakenDelivery): Promise<Tried> {
  try {
    const { kind, target } = readAddress(delivery.address);
    const body = delivery.body ?? (await keepBody(deps, delivery, kind));
    if (kind === 'email') return await mail(deps, delivery, target, body);
    return await post(deps, delivery, kind, target, body);
  } catch (error) {
    if (!(error instanceof AppError))
      deps.log.warn({ err: error, deliveryId: delivery.id }, 'a notification was not sent');
    return { ok: false, gone: false, answer: (error as Error).message };
  }
}

async function keepBody(deps: Deps, delivery: TakenDelivery, kind: string): Promise<string> {
  const job = delivery.jobId ? await viewJob(deps, delivery.jobId) : null;
  const message: Message = {
    deliveryId: delivery.id,
    event: delivery.event,
    time: job?.finishedAt ?? delivery.createdAt.toISOString(),
    job,
    url: job && pageUrl(deps.config, job.name),
  };
  const forms: Record<string, () => string> = {
    webhook: () => webhookBody(message),
    slack: () => slackBody(message),
    email: () => JSON.stringify(email(message)),
  };
  const body = forms[kind]!();
  await deps.pool.query('UPDATE "Delivery" SET body = $2 WHERE id = $1', [delivery.id, body]);
  return body;
}

async function post(
  deps: Deps,
  delivery: TakenDelivery,
  kind: 'webhook' | 'slack',
  url: string,
  body: string,
): Promise<Tried> {
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'user-agent': `mycloud/${version}`,
  };
  if (kind === 'webhook') {
    const timestamp = String(Math.floor(Date.now() / 1000));
    const secret = await signingSecret(deps, delivery.userId, delivery.address);
    headers['x-mycloud-event'] = delivery.event;
    headers['x-mycloud-delivery'] = delivery.id;
    headers['x-mycloud-timestamp'] = timestamp;
    headers['x-mycloud-signature'] = signature(secret, timestamp, body);
  }
  const { status } = await deps.outgoing.send(url, { method: 'POST', headers, body });
  return { ok: status >= 200 && status < 300, gone: status === 410, answer: `answered ${status}` };
}

async function mail(deps: Deps, delivery: TakenDelivery, to: string, body: string): Promise<Tried> {
  const { smtpUrl, mailFrom } = deps.config.notify;
  if (!smtpUrl) return { ok: false, gone: false, answer: 'this server has no SMTP_URL any more' };
  const { createTransport } = await import('nodemailer');
  const transport = createTransport(smtpUrl, {});
  try {
    const sent = await transport.sendMail({
      from: mailFrom,
      to,
      // A repeat has the same, by which mail readers show one.
      messageId: `<${delivery.id}@mycloud>`,
      headers: { 'Auto-Submitted': 'auto-generated' },
      ...(JSON.parse(body) as { subject: string; text: string }),
    });
    return { ok: true, gone: false, answer: sent.response };
  } finally {
    transport.close();
  }
}
