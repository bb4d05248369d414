import { createHash } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';

/*
 * A file of numbers that is whole or known not to be: "MYCKPT1\n", the header's length (uint32, little endian), the
 * header (JSON), the arrays (float32, little endian), and the SHA-256 of all that: what was cut is noticed by its hash.
 */
const MAGIC = Buffer.from('MYCKPT1\n');
const HASH = 32;

const bytes = (data: Float32Array) => Buffer.from(data.buffer, data.byteOffset, data.byteLength);
const hashOf = (body: Buffer) => createHash('sha256').update(body).digest();

/** Writes it under a temporary name, then renames it: what stood there before stays until it is whole. */
export async function writeSealed(file: string, header: object, arrays: Float32Array[]): Promise<void> {
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  const body = Buffer.concat([MAGIC, length, text, ...arrays.map(bytes)]);
  await mkdir(path.dirname(file), { recursive: true });
  const temporary = path.join(path.dirname(file), `.${path.basename(file)}.${process.pid}.tmp`);
  try {
    const handle = await open(temporary, 'w');
    try {
      await handle.writeFile(Buffer.concat([body, hashOf(body)]));
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** The header of a file's bytes, and its arrays, taken one after the other by their sizes; undefined where it is damaged. */
export function openSealed(
  file: Buffer,
): { header: unknown; take(size: number): Float32Array<ArrayBuffer> } | undefined {
  const body = file.subarray(0, -HASH);
  if (file.length < MAGIC.length + 4 + HASH || !body.subarray(0, MAGIC.length).equals(MAGIC))
    return undefined;
  if (!hashOf(body).equals(file.subarray(-HASH))) return undefined;
  let at = MAGIC.length + 4 + body.readUInt32LE(MAGIC.length);
  return {
    header: JSON.parse(body.subarray(MAGIC.length + 4, at).toString()),
    take(size) {
      const data = new Float32Array(size);
      bytes(data).set(body.subarray(at, at + size * 4));
      at += size * 4;
      return data;
    },
  };
}
