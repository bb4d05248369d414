import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';

/** Replaces a small file at once: a reader, and a worker killed at any moment, sees the old or the new. */
export function writeJson(file: string, value: unknown): void {
  writeFileSync(`${file}.tmp`, JSON.stringify(value));
  renameSync(`${file}.tmp`, file);
}

/** @returns undefined when the file isn't there. @throws when it can't be read or isn't JSON. */
export function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Writes all of `bytes` behind a file's end, or none on a full disk. A worker killed in the middle leaves a part.
 * @param size the file's, before
 */
export function appendWhole(fd: number, bytes: Buffer, size: number): void {
  try {
    for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
  } catch (error) {
    // A full disk took a part: what comes later must not follow half a record.
    ftruncateSync(fd, size);
    throw error;
  }
}

/** A file of states is begun anew at this size. */
const longBytes = 64 * 1024;

/**
 * Writes a state that takes the place of the one before: behind it, since a new file costs many times as much, and it is
 * written several times a job. holds: the last whole line is the newest state, whenever the worker is killed.
 */
export function writeState(file: string, value: unknown): void {
  // A line begins with a line break too: it may follow half of one.
  const bytes = Buffer.from(`\n${JSON.stringify(value)}\n`);
  const fd = openSync(file, 'a');
  try {
    const { size } = fstatSync(fd);
    if (size + bytes.length <= longBytes || size === 0) {
      appendWhole(fd, bytes, size);
      return;
    }
  } finally {
    closeSync(fd);
  }
  writeFileSync(`${file}.tmp`, bytes);
  renameSync(`${file}.tmp`, file);
}

/** @returns the newest state that was written whole; undefined when there is none */
export function readState(file: string): unknown {
  if (!existsSync(file)) return undefined;
  const lines = readFileSync(file, 'utf8').split('\n');
  for (const line of lines.reverse()) {
    try {
      if (line) return JSON.parse(line);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
  }
  return undefined;
}
