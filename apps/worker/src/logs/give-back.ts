import { execFile } from 'node:child_process';

/** Worth a process: below it the file is small anyway. */
const worthwhile = 32 * 2 ** 20;

/**
 * Gives the disk blocks of a file's consumed head back, so that a job which prints for days doesn't fill the disk.
 * The file keeps its length and offsets (a hole). Where the system has no holes the file just stays.
 */
export class HeadFreer {
  #freed = 0;
  #busy = false;

  constructor(readonly file: string) {}

  /** Everything before `offset` is not read again. */
  consumed(offset: number): void {
    if (this.#busy || process.platform !== 'linux' || offset - this.#freed < worthwhile) return;
    this.#busy = true;
    const length = offset - (offset % 4096);
    execFile('fallocate', ['--punch-hole', '--offset', '0', '--length', String(length), this.file], () => {
      this.#freed = length;
      this.#busy = false;
    });
  }
}
