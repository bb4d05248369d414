import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createEventReader, createEventWriter, decodeEvent, decodePictures } from '../src/index.js';

let dir: string;
let whole: Buffer;

beforeAll(async () => {
  dir = await mkdtemp(path.join(os.tmpdir(), 'tfevents-fuzz-'));
  const writer = createEventWriter(path.join(dir, 'made'));
  for (let step = 0; step < 4; step++) writer.scalar('loss', 1 / (step + 1), step, 1_000 + step);
  await writer.close();
  whole = await readFile(writer.path);
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** Reads to the end: what is wrong is told among its problems, and nothing is thrown. */
async function read(bytes: Uint8Array): Promise<number> {
  const file = path.join(dir, 'fuzzed');
  await writeFile(file, bytes);
  const reader = createEventReader(file);
  let records = 0;
  do records += (await reader.read()).length;
  while (reader.more);
  return records;
}

it('a file with bytes changed, cut off or put in is read as far as it is good, and breaks no reader', async () => {
  const all = await read(whole);
  const change = fc.record({
    at: fc.nat({ max: whole.length - 1 }),
    drop: fc.nat({ max: 30 }),
    add: fc.uint8Array({ maxLength: 30 }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
      let bytes = whole;
      for (const { at, drop, add } of changes)
        bytes = Buffer.concat([bytes.subarray(0, at), add, bytes.subarray(at + drop)]);
      expect(await read(bytes)).toBeLessThanOrEqual(all);
    }),
    { numRuns: 300, seed: 1 },
  );
});

it('a record of any bytes is an event or none, in bounded time and memory', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      for (const decode of [decodeEvent, decodePictures]) {
        try {
          decode(bytes);
        } catch (error) {
          // What a reader takes for a broken record; a fault of ours is another kind.
          expect(error).not.toBeInstanceOf(TypeError);
          expect((error as Error).message).not.toMatch(/undefined|null|is not a function/);
        }
      }
    }),
    { numRuns: 2_000, seed: 1 },
  );
});
