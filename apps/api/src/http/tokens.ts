import { createHash, randomBytes } from 'node:crypto';

/** For what is no token: 256 random bits that may stand in an address. */
export const newSecret = (): string => randomBytes(32).toString('base64url');

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const prefixes = { user: 'myc_', worker: 'mycw_' } as const;

/** Tokens are stored by this and never in clear: SHA-256, hexadecimal. */
export const hashToken = (secret: string): string => createHash('sha256').update(secret).digest('hex');

/** Six characters that depend on the rest, so that a mistyped token is told from a revoked one. */
function checksum(body: string): string {
  let value = createHash('sha256').update(body).digest().readUInt32BE(0);
  let text = '';
  for (let i = 0; i < 6; i++) {
    text += alphabet[value % 62];
    value = Math.floor(value / 62);
  }
  return text;
}

/** A new secret: prefix, 32 random characters (190 bits), checksum. */
export function newToken(kind: keyof typeof prefixes): string {
  // 248 = 4 · 62: bytes above it would favour some characters.
  let random = '';
  while (random.length < 32) {
    for (const byte of randomBytes(48)) if (byte < 248 && random.length < 32) random += alphabet[byte % 62];
  }
  const body = prefixes[kind] + random;
  return body + checksum(body);
}
