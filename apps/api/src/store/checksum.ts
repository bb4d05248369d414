import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** `crc32:` or `sha256:` and hexadecimal digits, as the contract has checked. */
export type Checksum = string;
type Algorithm = 'crc32' | 'sha256';

const algorithmOf = (checksum: Checksum): Algorithm => (checksum.startsWith('crc32:') ? 'crc32' : 'sha256');
const headerOf = (algorithm: Algorithm): string => `x-amz-checksum-${algorithm}`;

/** Sums up bytes as they come, by the algorithm of `expected`. */
export function openSum(expected: Checksum): { update(bytes: Uint8Array): void; matches(): boolean } {
  if (algorithmOf(expected) === 'sha256') {
    const hash = createHash('sha256');
    return {
      update: (bytes) => void hash.update(bytes),
      matches: () => `sha256:${hash.digest('hex')}` === expected,
    };
  }
  let sum = 0;
  return {
    update(bytes) {
      sum = crc32(bytes, sum);
    },
    matches: () => crc32Of(sum) === expected,
  };
}

export const crc32Of = (sum: number): Checksum => `crc32:${sum.toString(16).padStart(8, '0')}`;

/** The header by which an S3 server is told to check it. */
export function checksumHeader(checksum: Checksum): Record<string, string> {
  const digits = checksum.slice(checksum.indexOf(':') + 1);
  return { [headerOf(algorithmOf(checksum))]: Buffer.from(digits, 'hex').toString('base64') };
}

/** What an S3 server says it has checked; undefined when it says nothing, or another kind. */
export function checksumOf(headers: Headers): Checksum | undefined {
  for (const algorithm of ['crc32', 'sha256'] as const) {
    const sum = headers.get(headerOf(algorithm));
    if (sum) return `${algorithm}:${Buffer.from(sum, 'base64').toString('hex')}`;
  }
  return undefined;
}
