import { readFileSync } from 'node:fs';
import { wantProgram } from '../support/require.js';

export const redisServer = wantProgram('redis-server');
export const minio = wantProgram('minio');
export const bubblewrap = wantProgram('bwrap');

/** A clock that can be set wrong, for programs that are told to load it (Debian's faketime). */
export const fakeClock = ['x86_64', 'aarch64']
  .map((arch) => `/usr/lib/${arch}-linux-gnu/faketime/libfaketime.so.1`)
  .find((file) => wantFile(file));

function wantFile(file: string): boolean {
  try {
    readFileSync(file);
    return true;
  } catch {
    return false;
  }
}
