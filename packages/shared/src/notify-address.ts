import { z } from 'zod';

/** How a notification travels: a signed POST of our own JSON, a POST that Slack and what imitates it read, or an e-mail. */
export const notifyKinds = ['webhook', 'slack', 'email'] as const;
export type NotifyKind = (typeof notifyKinds)[number];

/** An address as people write it, taken apart. */
export interface NotifyAddress {
  kind: NotifyKind;
  /** The URL, or the e-mail address. */
  target: string;
}

/**
 * Reads https://HOST/PATH, slack:https://… (for what takes Slack's messages elsewhere: Mattermost, Rocket.Chat, Discord's /slack)
 * and name@host. Slack's own URLs are known by their host.
 * @returns undefined for what is none of these
 */
export function parseNotifyAddress(text: string): NotifyAddress | undefined {
  const slack = /^slack:(https?:\/\/.*)$/.exec(text)?.[1];
  const url = slack ?? text;
  if (/^https?:\/\//.test(url)) {
    if (!URL.canParse(url)) return undefined;
    const known = new URL(url).hostname === 'hooks.slack.com';
    return { kind: slack || known ? 'slack' : 'webhook', target: url };
  }
  return z.email().safeParse(text).success ? { kind: 'email', target: text } : undefined;
}

/** Addresses that one job names, beside its owner's channels. */
export const maxNotify = 10;

export const notifyAddressSchema = z
  .string()
  .trim()
  .max(2000)
  .refine(
    (text) => parseNotifyAddress(text) !== undefined,
    'write https://HOST/PATH, slack:https://HOST/PATH or an e-mail address',
  );
