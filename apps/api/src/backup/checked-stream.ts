import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { type Readable, Transform, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** What went through. */
export interface Sum {
  bytes: number;
  sha256: string;
}

/** Counts and hashes what passes through it. */
export class Summing extends Transform {
  private readonly hash = createHash('sha256');
  private bytes = 0;

  /** Once all has passed. */
  sum(): Sum {
    return { bytes: this.bytes, sha256: this.hash.digest('hex') };
  }

  override _transform(chunk: Buffer, _encoding: string, done: (error: null, chunk: Buffer) => void): void {
    this.bytes += chunk.length;
    this.hash.update(chunk);
    done(null, chunk);
  }
}

/** Writes a file whole or not at all, readable by its owner alone; on the disk when it returns. */
export async function writeWhole(
  file: string,
  from: Readable,
  ...through: NodeJS.ReadWriteStream[]
): Promise<Sum> {
  const temporary = path.join(path.dirname(file), `.partial-${process.pid}-${path.basename(file)}`);
  const summing = new Summing();
  try {
    await pipeline([from, ...through, summing, createWriteStream(temporary, { mode: 0o600 })]);
    const written = await open(temporary, 'r+');
    await written.sync();
    await written.close();
    await rename(temporary, file);
    return summing.sum();
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Reads bytes to their end, for their sum alone. */
export async function sumOf(from: Readable): Promise<Sum> {
  const summing = new Summing();
  await pipeline(from, summing, new Writable({ write: (_chunk, _encoding, done) => done() }));
  return summing.sum();
}

export const sumOfFile = (file: string): Promise<Sum> => sumOf(createReadStream(file));
