import os from 'node:os';
import { type Job, secondsText } from '@mycloud/shared';
import type { Config } from '../config.js';

/** What is told, before it is put into the form of its kind. */
export interface Message {
  deliveryId: string;
  event: 'job.ended' | 'test';
  /** ISO 8601: when it happened. */
  time: string;
  job: Job | null;
  /** The job's page. */
  url: string | null;
}

const colours: Record<string, string> = {
  succeeded: '#2e7d32',
  failed: '#c62828',
  timed_out: '#c62828',
  stopped: '#6b7280',
};

/** Where people see this server: what it was told, or where it listens. */
export function pageUrl({ publicUrl, host, port }: Config, path: string): string | null {
  if (publicUrl) return `${publicUrl.replace(/\/+$/, '')}/${path}`;
  if (port === 0) return null;
  const name = host === '0.0.0.0' || host === '::' ? os.hostname() : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}/${path}`;
}

/** The body of a webhook. */
export const webhookBody = ({ deliveryId, event, time, job, url }: Message): string =>
  JSON.stringify({ id: deliveryId, event, time, job: job && { ...job, url } });

/** A message as Slack's incoming webhooks take it, and Mattermost's, Rocket.Chat's and Discord's imitations of them. */
export function slackBody(message: Message): string {
  const { job, url } = message;
  const text = headline(message);
  if (!job) return JSON.stringify({ text });
  const fields = facts(job).map(([title, value]) => ({ title, value, short: true }));
  const name = url ? `<${url}|${escaped(job.name)}>` : escaped(job.name);
  return JSON.stringify({
    text: `${name} ${ending(job)}`,
    attachments: [
      {
        fallback: text,
        color: colours[job.status],
        text: `\`${escaped(job.command.slice(0, 300).replaceAll('`', "'"))}\``,
        fields: fields.map((field) => ({ ...field, value: escaped(field.value) })),
      },
    ],
  });
}

export function email(message: Message): { subject: string; text: string } {
  const { job, url } = message;
  if (!job) return { subject: headline(message), text: 'The end of a job would be told to this address.\n' };
  const lines = [headline(message), '', ...facts(job).map(([title, value]) => `${title}: ${value}`)];
  if (url) lines.push('', url);
  lines.push('', 'You get this because of `mycloud notify` or `mycloud run --notify`.');
  // A line break in a subject would begin another header; nodemailer folds it, a reader shouldn't see it.
  return { subject: headline(message).replace(/\s+/g, ' '), text: `${lines.join('\n')}\n` };
}

const headline = ({ job }: Message): string =>
  job ? `${job.name} ${ending(job)}` : 'A test of mycloud: notifications arrive here';

function ending(job: Job): string {
  const word = job.status.replaceAll('_', ' ');
  return job.status === 'succeeded' || !job.message ? word : `${word}: ${job.message}`;
}

function facts(job: Job): [string, string][] {
  const seconds =
    job.startedAt && job.finishedAt
      ? Math.round((Date.parse(job.finishedAt) - Date.parse(job.startedAt)) / 1000)
      : undefined;
  const metrics = Object.entries(job.metrics)
    .slice(0, 6)
    .map(([name, value]): [string, string] => [name, String(Number(value.toPrecision(5)))]);
  return [
    ['Machine', job.machine],
    ...(seconds === undefined ? [] : [['Ran for', secondsText(seconds)] as [string, string]]),
    ...(job.schedule ? [['Schedule', job.schedule] as [string, string]] : []),
    ...(job.description ? [['Description', job.description.slice(0, 300)] as [string, string]] : []),
    ...metrics,
  ];
}

/** Slack reads these three as its own. */
const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
