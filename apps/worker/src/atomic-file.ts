import { readFileSync, renameSync, writeFileSync } from 'node:fs';

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
