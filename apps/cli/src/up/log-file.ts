import { closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import path from 'node:path';

const maxBytes = 5_000_000;

/** A log that never takes more than twice maxBytes: the full file becomes NAME.1, the one before goes. */
export class LogFile {
  private fd: number;
  private bytes: number;

  constructor(readonly file: string) {
    mkdirSync(path.dirname(file), { recursive: true });
    this.fd = openSync(file, 'a', 0o600);
    this.bytes = fstatSync(this.fd).size;
  }

  write(line: string): void {
    this.bytes += writeSync(this.fd, `${line}\n`);
    if (this.bytes < maxBytes) return;
    closeSync(this.fd);
    renameSync(this.file, `${this.file}.1`);
    this.fd = openSync(this.file, 'a', 0o600);
    this.bytes = 0;
  }

  close(): void {
    closeSync(this.fd);
  }
}
