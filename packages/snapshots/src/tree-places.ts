import { hash as digest } from 'node:crypto';
import { closeSync, constants, fchmodSync, openSync, readSync, renameSync, writeSync } from 'node:fs';

/** Where the bytes of a chunk go. */
export type Place =
  /** The only chunk of a file: it is made at `at`, and moved to `final` where that is another place. */
  | { kind: 'whole'; at: string; final: string; mode: number }
  /** One of several: written into a file that others write into too. */
  | { kind: 'piece'; at: string; position: number };

/** A chunk in a slab and where it goes. */
export interface Placed {
  hash: string;
  offset: number;
  size: number;
  places: Place[];
}

/** Verifies chunks and writes those that are what their names say. Calls block. @returns the names of the others */
export function writePlaces(slab: Buffer, chunks: readonly Placed[]): string[] {
  const damaged: string[] = [];
  for (const { hash, offset, size, places } of chunks) {
    const data = slab.subarray(offset, offset + size);
    if (digest('sha256', data) !== hash) damaged.push(hash);
    else for (const place of places) write(place, data);
  }
  return damaged;
}

function write(place: Place, data: Buffer): void {
  const flags = constants.O_WRONLY | constants.O_CREAT | (place.kind === 'whole' ? constants.O_TRUNC : 0);
  const fd = openSync(place.at, flags, 0o600);
  try {
    const position = place.kind === 'piece' ? place.position : 0;
    for (let done = 0; done < data.length; ) {
      done += writeSync(fd, data, done, data.length - done, position + done);
    }
    if (place.kind === 'whole') fchmodSync(fd, place.mode);
  } finally {
    closeSync(fd);
  }
  // rename replaces a file or a link itself, whatever the link points to.
  if (place.kind === 'whole' && place.final !== place.at) renameSync(place.at, place.final);
}

/** A file that may hold what it should, from an earlier try. */
export interface Suspect {
  at: string;
  /** In the order of the file. */
  chunks: { hash: string; size: number }[];
}

/** Which chunks of each file are there already. Calls block. @returns their places in `chunks`, file by file */
export function findWritten(suspects: readonly Suspect[]): number[][] {
  return suspects.map(({ at, chunks }) => {
    const fd = openSync(at, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
    try {
      let position = 0;
      const found: number[] = [];
      for (const [i, { hash, size }] of chunks.entries()) {
        const data = Buffer.allocUnsafe(size);
        const length = readSync(fd, data, 0, size, position);
        position += size;
        if (length === size && digest('sha256', data) === hash) found.push(i);
      }
      return found;
    } finally {
      closeSync(fd);
    }
  });
}
