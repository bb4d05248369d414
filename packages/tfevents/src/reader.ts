import { type FileHandle, open, readdir } from 'node:fs/promises';
import path from 'node:path';
import { decodeEvent, type EventRecord } from './events.js';
import { unframeRecord } from './records.js';

export interface EventReader {
  readonly path: string;
  /**
   * The records that came since the last call; one that is still being written is left for the next. A file
   * that isn't there yet gives none. At most about 16 MiB are read: call again while `more` is true.
   */
  read(): Promise<EventRecord[]>;
  readonly more: boolean;
  /** What could not be read: damaged records are passed over, a damaged length ends the file. */
  readonly problems: readonly string[];
}

const READ_BYTES = 16 << 20;
/** A longer record is taken for damage; images and graphs stay far below. */
const RECORD_LIMIT = 512 << 20;
const PROBLEM_LIMIT = 20;

async function readAt(handle: FileHandle, at: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, at + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

/** Follows one event file as it grows. It opens the file for each read, so a deleted one is let go. */
export function createEventReader(file: string): EventReader {
  const problems: string[] = [];
  let offset = 0;
  let more = false;
  let lost = false;

  function report(problem: string): void {
    if (problems.length < PROBLEM_LIMIT) problems.push(`${file}, byte ${offset}: ${problem}`);
  }

  /** Moves `offset` past the complete records of `buffer`; answers how long the incomplete one is. */
  function take(buffer: Uint8Array, records: EventRecord[]): number {
    const start = offset;
    for (;;) {
      const found = unframeRecord(buffer, offset - start);
      if (found.kind === 'partial' && found.needs <= RECORD_LIMIT) return found.needs;
      if (found.kind === 'partial' || found.kind === 'lost') {
        report('the length of a record is damaged; the rest of the file is not read');
        lost = true;
        return 0;
      }
      if (found.kind === 'damaged') report('a record is damaged (its checksum differs) and was passed over');
      else {
        try {
          records.push(decodeEvent(found.data));
        } catch (error) {
          report(`a record is no event: ${(error as Error).message}`);
        }
      }
      offset += found.bytes;
    }
  }

  async function read(): Promise<EventRecord[]> {
    const records: EventRecord[] = [];
    more = false;
    if (lost) return records;
    let handle: FileHandle;
    try {
      handle = await open(file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return records;
      throw error;
    }
    try {
      const { size } = await handle.stat();
      const left = size - offset;
      if (left <= 0) return records;
      let needs = take(await readAt(handle, offset, Math.min(left, READ_BYTES)), records);
      if (records.length === 0 && needs > READ_BYTES && needs <= size - offset) {
        needs = take(await readAt(handle, offset, needs), records);
      }
      more = !lost && size - offset >= needs && size > offset;
      return records;
    } finally {
      await handle.close();
    }
  }

  return {
    path: file,
    read,
    get more() {
      return more;
    },
    problems,
  };
}

/** Every event file under `dir`, by name; none where the folder isn't there. Links are not followed. */
export async function findEventFiles(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw error;
  });
  const found: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const full = path.join(dir, entry.name);
    if (entry.isDirectory()) found.push(...(await findEventFiles(full)));
    else if (entry.isFile() && entry.name.includes('tfevents')) found.push(full);
  }
  return found;
}
