import { type Chunk, Cutter, quoted, slabBytes, wholeBytes } from '@mycloud/snapshots/browser';
import type { ChosenFile } from './folder.js';
import { sha256Hex } from './sha256.js';

export interface CutChunk extends Chunk {
  bytes: Uint8Array<ArrayBuffer>;
}

/** Neighbouring small files read at once: each costs a wait. */
const filesAtOnce = 64;

/**
 * Files cut into chunks as the command line cuts them, in order; at most about a slab of bytes is held.
 * Each answer holds whole chunks: of some small files, or of a part of a large one.
 * @throws Error naming a file that changed or disappeared since it was chosen
 */
export async function* cutFiles(
  files: readonly ChosenFile[],
): AsyncGenerator<{ path: string; chunks: CutChunk[]; ended: boolean }[]> {
  let few: ChosenFile[] = [];
  let bytes = 0;
  for (const chosen of files) {
    const small = chosen.file.size <= wholeBytes;
    if (few.length > 0 && (!small || bytes + chosen.file.size > slabBytes || few.length >= filesAtOnce)) {
      yield await Promise.all(few.map(cutSmall));
      few = [];
      bytes = 0;
    }
    if (small) {
      few.push(chosen);
      bytes += chosen.file.size;
    } else yield* cutLarge(chosen);
  }
  if (few.length > 0) yield await Promise.all(few.map(cutSmall));
}

async function cutSmall({ path, file }: ChosenFile) {
  const bytes = await readPart(path, file, 0, file.size);
  return { path, chunks: bytes.length > 0 ? [await named(bytes)] : [], ended: true };
}

async function* cutLarge({ path, file }: ChosenFile) {
  const cutter = new Cutter();
  let open = new Uint8Array(0);
  for (let position = 0; position < file.size; ) {
    const part = await readPart(path, file, position, Math.min(position + slabBytes, file.size));
    position += part.length;
    const ended = position === file.size;
    const bytes = new Uint8Array(open.length + part.length);
    bytes.set(open);
    bytes.set(part, open.length);
    const cuts: Uint8Array<ArrayBuffer>[] = [];
    let start = 0;
    while (start < bytes.length) {
      const length = cutter.next(bytes.subarray(start), ended);
      if (length === 0) break;
      cuts.push(bytes.subarray(start, start + length));
      start += length;
    }
    open = bytes.slice(start);
    yield [{ path, chunks: await Promise.all(cuts.map(named)), ended }];
  }
}

async function readPart(
  path: string,
  file: File,
  start: number,
  end: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const changed = (cause?: unknown) =>
    new Error(`${quoted(path)} was changed or can’t be read any more. Choose the folder again.`, { cause });
  const bytes = await file
    .slice(start, end)
    .arrayBuffer()
    .catch((error: unknown) => {
      throw changed(error);
    });
  if (bytes.byteLength !== end - start) throw changed();
  return new Uint8Array(bytes);
}

const named = async (bytes: Uint8Array<ArrayBuffer>): Promise<CutChunk> => ({
  hash: await sha256Hex(bytes),
  size: bytes.length,
  bytes,
});
