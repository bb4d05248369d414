import { gunzipSync, gzipSync } from 'node:zlib';
import { AppError } from '@mycloud/shared';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Entry, encodeManifest, unpackTree } from '../src/index.js';

/** Trees as they come: a folder, files in it with or without chunks. */
const entries: Entry[] = [
  { path: 'a', type: 'dir', mode: 0o755 },
  { path: 'a/empty', type: 'file', mode: 0o644, size: 0, chunks: [] },
  { path: 'b.txt', type: 'file', mode: 0o755, size: 5, chunks: [{ hash: 'a'.repeat(64), size: 5 }] },
  { path: 'link', type: 'symlink', target: 'b.txt' },
] as unknown as Entry[];

/** What reading ends with: a tree, or a refusal that a person can act on. Anything else is a fault. */
async function end(packed: Uint8Array): Promise<'read' | 'refused'> {
  try {
    await unpackTree([packed], 1_000_000);
    return 'read';
  } catch (error) {
    if (error instanceof AppError && ['bad_request', 'too_large'].includes(error.code)) return 'refused';
    throw error;
  }
}

const manifest = Buffer.from(encodeManifest(entries));

it('is read whole', async () => {
  expect(await end(gzipSync(manifest))).toBe('read');
});

it('with bytes changed, cut off or put in is read or refused, and never breaks the reader', async () => {
  const place = fc.nat({ max: manifest.length - 1 });
  const change = fc.record({ at: place, drop: fc.nat({ max: 40 }), add: fc.uint8Array({ maxLength: 40 }) });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
      let bytes = manifest;
      for (const { at, drop, add } of changes)
        bytes = Buffer.concat([bytes.subarray(0, at), add, bytes.subarray(at + drop)]);
      await end(gzipSync(bytes));
    }),
    { numRuns: 500, seed: 1 },
  );
});

it('of any JSON for a line is refused or is an entry', async () => {
  const header = manifest.subarray(0, manifest.indexOf(0x0a) + 1);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.jsonValue(), { maxLength: 5 }), async (values) => {
      const lines = values.map((value) => `${JSON.stringify(value)}\n`).join('');
      await end(gzipSync(Buffer.concat([header, Buffer.from(lines)])));
    }),
    { numRuns: 300, seed: 1 },
  );
});

it('that is no gzip, or gzip that breaks off, is refused', async () => {
  const packed = gzipSync(manifest);
  expect(gunzipSync(packed).equals(manifest)).toBe(true);
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
      expect(await end(bytes)).toBe('refused');
    }),
    { numRuns: 200, seed: 1 },
  );
  for (let length = 0; length < packed.length; length += 7)
    expect(await end(packed.subarray(0, length))).toBe('refused');
});
