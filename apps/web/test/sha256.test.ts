import { createHash } from 'node:crypto';
import { afterEach, expect, it, vi } from 'vitest';
import { sha256Hex } from '../src/datasets/upload/sha256.js';

afterEach(() => vi.unstubAllGlobals());

it('chunks have the same names where the browser hashes and where, over plain http, it does not', async () => {
  for (const length of [0, 1, 63, 64, 1_000_003]) {
    const bytes = new Uint8Array(length).map((_, i) => i * 31);
    const name = createHash('sha256').update(bytes).digest('hex');
    expect(await sha256Hex(bytes)).toBe(name);
    vi.stubGlobal('crypto', {});
    expect(await sha256Hex(bytes)).toBe(name);
    vi.unstubAllGlobals();
  }
});
