import { createHmac, randomBytes } from 'node:crypto';
import type { Deps } from '../deps.js';
import { one } from '../jobs/sql.js';

/**
 * What webhooks to an address are signed with. Each address has its own, derived from one key of the user's, so that a receiver
 * can't pass for the server at another's, and an address that only a job names has one too.
 */
export async function signingSecret(
  deps: Pick<Deps, 'pool'>,
  userId: string,
  address: string,
  rotate = false,
): Promise<string> {
  const fresh = randomBytes(32).toString('base64url');
  const user = await one<{ notifyKey: string }>(
    deps.pool,
    `UPDATE "User" SET "notifyKey" = CASE WHEN $3 THEN $2 ELSE COALESCE("notifyKey", $2) END WHERE id = $1
     RETURNING "notifyKey"`,
    [userId, fresh, rotate],
  );
  return `whsec_${createHmac('sha256', user?.notifyKey ?? fresh)
    .update(address)
    .digest('base64url')}`;
}

/** `v1=` and the HMAC-SHA256, hexadecimal, of `TIMESTAMP.BODY`. */
export const signature = (secret: string, timestamp: string, body: string): string =>
  `v1=${createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex')}`;
