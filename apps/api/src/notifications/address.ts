import { AppError, type NotifyAddress, parseNotifyAddress } from '@mycloud/shared';
import type { Deps } from '../deps.js';

/** An address that was checked when it was given. @throws AppError bad_request for what is none */
export function readAddress(text: string): NotifyAddress {
  const address = parseNotifyAddress(text);
  if (address) return address;
  throw new AppError('bad_request', `"${text}" is no address to notify`, {
    hint: 'Write https://HOST/PATH, slack:https://HOST/PATH or an e-mail address.',
  });
}

/**
 * Whether this server can send there at all, told when a person names it and not when a job has ended.
 * @throws AppError bad_request for a URL that the server doesn't call, or e-mail where none is sent
 */
export async function checkAddress(deps: Pick<Deps, 'config' | 'outgoing'>, text: string): Promise<void> {
  const { kind, target } = readAddress(text);
  if (kind !== 'email') return deps.outgoing.check(target);
  if (deps.config.notify.smtpUrl) return;
  throw new AppError('bad_request', `this server sends no e-mail, so ${target} would hear nothing`, {
    hint: 'Its admin sets SMTP_URL; until then give a webhook: https://… or slack:https://…',
  });
}
