import { createHash } from 'node:crypto';
import { pipeline as pipe, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setImmediate as turn } from 'node:timers/promises';
import { createGunzip, createGzip } from 'node:zlib';
import { AppError } from '@mycloud/shared';
import { entryLine, manifestHeader } from './encode-manifest.js';
import { ManifestDecoder, maxManifestBytes, tooLong } from './manifest.js';
import { Tree } from './tree.js';

const pieceBytes = 128 * 1024;

/** A snapshot's name: SHA-256 of its manifest, 64 digits. */
export async function treeHash(tree: Tree): Promise<string> {
  const hash = createHash('sha256');
  for (const piece of piecesOf(tree)) {
    hash.update(piece);
    await turn();
  }
  return hash.digest('hex');
}

/** A tree's manifest as it travels, made line by line: it is never in memory as a whole, packed or not. */
export function packTree(tree: Tree): Readable {
  // Hashes don't compress; a higher level costs time and gains nothing.
  const gzip = createGzip({ level: 1, chunkSize: pieceBytes });
  // Whoever reads it hears of an error by the last of the two.
  return pipe(Readable.from(piecesOf(tree), { objectMode: false }), gzip, () => undefined);
}

function* piecesOf(tree: Tree): Generator<Buffer> {
  let lines: string[] = [manifestHeader];
  let length = 0;
  for (let index = 0; index <= tree.count; index++) {
    const last = index === tree.count;
    if (!last && !tree.isLeftOut(index)) {
      const line = `${entryLine(tree.entry(index))}\n`;
      lines.push(line);
      length += line.length;
    }
    if (!last && length < pieceBytes) continue;
    yield Buffer.from(lines.join(''));
    lines = [];
    length = 0;
  }
}

/**
 * Reads a manifest as it travels, whoever wrote it, piece by piece.
 * @throws AppError bad_request as decodeManifest does, or when it isn't gzip; too_large past `maxBytes` unpacked
 */
export async function unpackTree(
  packed: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  maxBytes = maxManifestBytes,
): Promise<{ tree: Tree; hash: string }> {
  const tree = new Tree();
  const decoder = new ManifestDecoder();
  const hash = createHash('sha256');
  let length = 0;
  // A pipeline that its last part breaks off says only that it was aborted.
  let refusal: unknown;
  const read = async (pieces: AsyncIterable<Buffer>): Promise<void> => {
    for await (const piece of pieces) {
      length += piece.length;
      if (length > maxBytes) throw tooLong(maxBytes);
      hash.update(piece);
      for (const entry of decoder.push(piece)) tree.addEntry(entry);
    }
  };
  try {
    await pipeline(
      Readable.from(packed, { objectMode: false }),
      createGunzip({ chunkSize: pieceBytes }),
      (pieces) =>
        read(pieces as AsyncIterable<Buffer>).catch((error: unknown) => {
          refusal = error;
          throw error;
        }),
    );
  } catch (error) {
    const cause = refusal ?? error;
    const code = (cause as NodeJS.ErrnoException).code ?? '';
    if (/^Z_/.test(code)) throw new AppError('bad_request', 'the manifest is not whole gzip data', { cause });
    throw cause;
  }
  decoder.end();
  return { tree, hash: hash.digest('hex') };
}
