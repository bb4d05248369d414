import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { maskedCrc32c } from '../src/crc32c.js';
import { createEventReader, createEventWriter, encodeGraph, findEventFiles } from '../src/index.js';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'mycloud-events-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** An event file with loss 1, 1/2, 1/3 … at the steps 0, 1, 2 …; the reader gives float32. */
async function lossFile(steps: number): Promise<Buffer> {
  const writer = createEventWriter(path.join(dir, 'made'));
  for (let step = 0; step < steps; step++) writer.scalar('loss', 1 / (step + 1), step, 1000.5 + step);
  await writer.close();
  return readFile(writer.path);
}

const losses = (records: { step: number; scalars: { tag: string; value: number }[] }[]) =>
  records.flatMap((r) => r.scalars.map((s) => [s.tag, r.step, Math.round(s.value * 1000)]));

test('the checksum is the one TFRecord uses', () => {
  // CRC-32C("123456789") is e3069283 (RFC 3720); masked: rotated right by 15, plus a282ead8.
  expect(maskedCrc32c(Buffer.from('123456789'))).toBe((0x25_07_c6_0d + 0xa2_82_ea_d8) >>> 0);
});

test('what is written is read: the version first, then tags, values, steps and times', async () => {
  const file = path.join(dir, 'x');
  await writeFile(file, await lossFile(3));
  const records = await createEventReader(file).read();
  expect(records[0]!.fileVersion).toBe('brain.Event:2');
  expect(losses(records)).toEqual([
    ['loss', 0, 1000],
    ['loss', 1, 500],
    ['loss', 2, 333],
  ]);
  expect(records[2]!.wallTime).toBe(1001.5);
});

test('a file that grows a byte at a time gives each record once, when it is whole', async () => {
  const whole = await lossFile(2);
  const file = path.join(dir, 'growing');
  const reader = createEventReader(file);
  expect(await reader.read()).toEqual([]);
  const met = [];
  for (const byte of whole) {
    await appendFile(file, Uint8Array.of(byte));
    const records = await reader.read();
    expect(records.length).toBeLessThanOrEqual(1);
    met.push(...records);
  }
  expect(met).toHaveLength(3);
  expect(losses(met)).toEqual([
    ['loss', 0, 1000],
    ['loss', 1, 500],
  ]);
  expect(reader.problems).toEqual([]);
});

test('a damaged record is named and passed over; a damaged length ends the file', async () => {
  const whole = await lossFile(3);
  const file = path.join(dir, 'damaged');
  const second = whole.length - 2 * ((whole.length - 40) / 3);
  const inData = Buffer.from(whole);
  inData[whole.length - 6] = inData[whole.length - 6]! ^ 1;
  await writeFile(file, Buffer.concat([inData, whole]));
  const reader = createEventReader(file);
  expect(losses(await reader.read()).map((l) => l[1])).toEqual([0, 1, 0, 1, 2]);
  expect(reader.problems).toHaveLength(1);
  expect(reader.problems[0]).toContain('checksum');
  const inLength = Buffer.from(whole);
  inLength[Math.floor(second)] = inLength[Math.floor(second)]! ^ 1;
  inLength[0] = 0xff;
  await writeFile(file, inLength);
  const lost = createEventReader(file);
  expect(await lost.read()).toEqual([]);
  expect(await lost.read()).toEqual([]);
  expect(lost.problems).toHaveLength(1);
  expect(lost.problems[0]).toContain('length');
});

test('a record larger than one read is read whole, and those around it', async () => {
  const writer = createEventWriter(dir);
  writer.scalar('before', 1, 1);
  writer.image('big', new Uint8Array(20 << 20), 1, 1, 3, 2);
  writer.scalar('after', 2, 3);
  await writer.close();
  const reader = createEventReader(writer.path);
  const records = await reader.read();
  while (reader.more) records.push(...(await reader.read()));
  expect(losses(records)).toEqual([
    ['before', 1, 1000],
    ['after', 3, 2000],
  ]);
});

test('what was given reaches the file without asking, and each writer has a file of its own', async () => {
  const [one, two] = [createEventWriter(dir), createEventWriter(dir)];
  one.scalar('loss', 1, 1);
  await expect.poll(() => createEventReader(one.path).read(), { timeout: 20_000 }).toHaveLength(2);
  two.scalar('loss', 1, 1);
  await two.flush();
  expect(await findEventFiles(dir)).toEqual([one.path, two.path].sort());
  await Promise.all([one.close(), two.close()]);
  expect(() => one.scalar('loss', 1, 2)).toThrow('closed');
});

test('event files are found at any depth, and none where there is no folder', async () => {
  await mkdir(path.join(dir, 'Graph', 'train'), { recursive: true });
  await writeFile(path.join(dir, 'Graph', 'train', 'events.out.tfevents.1.a'), '');
  await writeFile(path.join(dir, 'Graph', 'notes.txt'), '');
  expect(await findEventFiles(dir)).toEqual([path.join(dir, 'Graph', 'train', 'events.out.tfevents.1.a')]);
  expect(await findEventFiles(path.join(dir, 'no'))).toEqual([]);
});

test('writing where it can not be written rejects with the reason', async () => {
  const writer = createEventWriter(path.join(dir, 'gone'));
  await rm(path.join(dir, 'gone'), { recursive: true });
  await expect(writer.close()).rejects.toThrow('ENOENT');
});

test('a graph holds its nodes, their inputs and attributes', () => {
  const bytes = encodeGraph([
    { name: 'x', op: 'Placeholder', inputs: [], attrs: { shape: { shape: [-1, 3] } } },
  ]);
  expect(Buffer.from(bytes).toString('latin1')).toContain('Placeholder');
});
