export interface UploadProgress {
  phase: 'scan' | 'hash' | 'send' | 'commit';
  /** Files read or known unchanged. */
  files: number;
  totalFiles: number;
  /** Bytes read or known unchanged, of totalBytes. */
  bytes: number;
  totalBytes: number;
  /** Bytes handed to the network. */
  sentBytes: number;
  /** Bytes a second over the whole upload so far; absent in the first half second. */
  rate?: number;
}

const everyMs = 100;
const steadyMs = 500;

/** Counts an upload's steps and tells them at most ten times a second, the last one always. */
export class Meter {
  private readonly startedAt = performance.now();
  private toldAt = 0;
  private readonly now: UploadProgress = {
    phase: 'scan',
    files: 0,
    totalFiles: 0,
    bytes: 0,
    totalBytes: 0,
    sentBytes: 0,
  };

  constructor(private readonly listener: ((progress: UploadProgress) => void) | undefined) {
    this.tell(true);
  }

  found(files: number, bytes: number): void {
    this.now.totalFiles = files;
    this.now.totalBytes = bytes;
    this.now.phase = 'hash';
    this.tell(true);
  }

  read(bytes: number, files: number): void {
    this.now.bytes += bytes;
    this.now.files += files;
    this.tell(false);
  }

  sent(bytes: number): void {
    this.now.sentBytes += bytes;
    this.now.phase = 'send';
    this.tell(false);
  }

  committing(): void {
    this.now.phase = 'commit';
    this.tell(true);
  }

  finished(): void {
    this.tell(true);
  }

  private tell(always: boolean): void {
    if (!this.listener) return;
    const time = performance.now();
    if (!always && time - this.toldAt < everyMs) return;
    this.toldAt = time;
    const elapsed = time - this.startedAt;
    const rate = elapsed < steadyMs ? undefined : (this.now.bytes / elapsed) * 1000;
    this.listener({ ...this.now, rate });
  }
}
