import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import { AppError, bytesSchema, hashSchema, maxPackBytes } from '@mycloud/shared';
import { z } from 'zod';
import { entryLine, manifestHeader } from './encode-manifest.js';
import { TreeCheck } from './tree-check.js';
import { quoted, refuse } from './tree-rules.js';

export { encodeManifest } from './encode-manifest.js';

/** A piece of a file, named by the SHA-256 of its bytes; at most a pack long. */
const chunkSchema = z.strictObject({ hash: hashSchema, size: z.number().int().positive().max(maxPackBytes) });
export type Chunk = z.infer<typeof chunkSchema>;

const entrySchema = z.discriminatedUnion('type', [
  z.strictObject({
    path: z.string(),
    type: z.literal('file'),
    mode: z.union([z.literal(0o644), z.literal(0o755)]),
    size: bytesSchema,
    chunks: z.array(chunkSchema),
  }),
  z.strictObject({ path: z.string(), type: z.literal('dir'), mode: z.literal(0o755) }),
  z.strictObject({ path: z.string(), type: z.literal('symlink'), target: z.string() }),
]);

/** One thing in a tree. Modes keep only "may be run", so that two people's umasks give the same name to the same tree. */
export type Entry = z.infer<typeof entrySchema>;
export type ManifestFile = Extract<Entry, { type: 'file' }>;

/** Largest manifest read, unpacked: about five million small files. */
export const maxManifestBytes = 1024 * 1024 * 1024;
export const headerBytes = Buffer.from(manifestHeader);
/** A file of a terabyte is a line of 150 MB; what has no end before that is no manifest. */
const maxLineBytes = 256 * 1024 * 1024;

/**
 * Reads a manifest that anybody may have written.
 *
 * @throws AppError bad_request naming the entry (or line) at fault: bad paths, links that leave the tree, duplicates,
 *   files used as folders, sizes that don't add up, or bytes that aren't the canonical form of what they say.
 */
export function decodeManifest(bytes: Uint8Array): Entry[] {
  const decoder = new ManifestDecoder();
  const entries = [...decoder.push(bytes)];
  decoder.end();
  return entries;
}

/** Reads a manifest as it comes, in pieces of any length; checks what decodeManifest does. */
export class ManifestDecoder {
  private readonly check = new TreeCheck();
  /** Of the line that isn't whole yet; joined once it is, however long it gets. */
  private rest: Buffer[] = [];
  private restBytes = 0;
  /** Lines read. */
  private lines = 0;

  /** @returns the entries that are whole by now; to be taken before the next piece is given */
  *push(bytes: Uint8Array): Generator<Entry> {
    const piece = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let start = 0;
    for (;;) {
      const end = piece.indexOf(0x0a, start);
      if (end < 0) break;
      const tail = piece.subarray(start, end);
      const entry = this.line(this.rest.length > 0 ? Buffer.concat([...this.rest, tail]) : tail);
      this.rest = [];
      this.restBytes = 0;
      start = end + 1;
      if (entry) yield entry;
    }
    if (start === piece.length) return;
    this.rest.push(piece.subarray(start));
    this.restBytes += piece.length - start;
    if (this.restBytes > (this.lines === 0 ? headerBytes.length : maxLineBytes)) throw refuseHeader();
  }

  /** Nothing comes any more. */
  end(): void {
    if (this.lines === 0) throw refuseHeader();
    if (this.rest.length > 0) throw new AppError('bad_request', 'the manifest breaks off in its last line');
    this.check.end();
  }

  private line(bytes: Buffer): Entry | undefined {
    this.lines += 1;
    const line = bytes.toString();
    if (this.lines === 1) {
      if (`${line}\n` !== manifestHeader) throw refuseHeader();
      return undefined;
    }
    const entry = parseLine(line, this.lines);
    // Also refuses invalid UTF-8 and any second spelling of the same entry: one tree, one name.
    if (entryLine(entry) !== line || Buffer.byteLength(line) !== bytes.length) {
      throw refuse(entry.path, 'the line is not in canonical form');
    }
    this.check.take(entry);
    return entry;
  }
}

function refuseHeader(): AppError {
  return new AppError('bad_request', 'this is not a manifest of a snapshot, or of a newer version', {
    hint: `It must begin with the line ${quoted(manifestHeader.trimEnd())}.`,
  });
}

function parseLine(line: string, number: number): Entry {
  let raw: unknown;
  try {
    raw = JSON.parse(line);
  } catch (cause) {
    throw new AppError('bad_request', `line ${number} of the manifest is not JSON`, { cause });
  }
  const parsed = entrySchema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const path = z.object({ path: z.string() }).safeParse(raw).data?.path;
  const where = path === undefined ? '' : ` (${quoted(path)})`;
  const errors = parsed.error.issues.map((issue) => ({ path: issue.path.join('.'), message: issue.message }));
  const what = errors.map((e) => `${e.path || 'entry'}: ${e.message}`).join('; ');
  throw new AppError('bad_request', `line ${number} of the manifest${where} is not an entry: ${what}`, {
    errors,
  });
}

/** The snapshot's name: SHA-256 of the unpacked manifest, in hexadecimal. */
export function manifestHash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The manifest as it travels: gzipped. */
export async function packManifest(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  // Hashes don't compress; a higher level costs time and gains nothing.
  return promisify(gzip)(bytes, { level: 1 });
}

/**
 * Unpacks a manifest, never to more than `maxBytes`.
 * @throws AppError too_large past the limit, bad_request when it isn't gzip.
 */
export async function unpackManifest(packed: Uint8Array, maxBytes = maxManifestBytes): Promise<Uint8Array> {
  try {
    return await promisify(gunzip)(packed, { maxOutputLength: maxBytes });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLong(maxBytes, cause);
    throw new AppError('bad_request', 'the manifest is not whole gzip data', { cause });
  }
}

/** The error for a manifest that is longer than it may be. */
export function tooLong(maxBytes: number, cause?: unknown): AppError {
  return new AppError('too_large', `the manifest is longer than ${maxBytes} bytes`, {
    cause,
    hint: 'Pack many small files into fewer archives, or split the folder.',
  });
}

/** How many files a tree has, and their bytes. */
export function manifestTotals(entries: readonly Entry[]): { files: number; bytes: number } {
  let files = 0;
  let bytes = 0;
  for (const entry of entries) {
    if (entry.type !== 'file') continue;
    files += 1;
    bytes += entry.size;
  }
  return { files, bytes };
}
