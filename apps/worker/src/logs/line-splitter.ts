import { maxLineBytes } from '@mycloud/shared';

export interface SplitLine {
  text: string;
  /** The line was longer than 16 KiB and goes on in the next one. */
  more: boolean;
  /** Where the source goes on after this line, in bytes. */
  end: number;
}

const newline = 10;
const carriageReturn = 13;

/**
 * Cuts a stream of bytes into lines. A carriage return replaces the line being drawn; pieces over 16 KiB are cut
 * between characters; invalid UTF-8 (and NUL, which no database keeps in text) becomes U+FFFD.
 * Holds: what it keeps back is at most one read and 16 KiB.
 */
export class LineSplitter {
  #rest: Buffer = Buffer.alloc(0);
  /** Offset in the source of the first byte of #rest. */
  #start: number;

  constructor(offset: number) {
    this.#start = offset;
  }

  /** The line being drawn, not ended yet. */
  get drawn(): string {
    return decode(drawnPart(this.#rest));
  }

  feed(bytes: Buffer): SplitLine[] {
    const lines: SplitLine[] = [];
    let data = this.#rest.length > 0 ? Buffer.concat([this.#rest, bytes]) : bytes;
    let at = 0;
    for (let end = data.indexOf(newline, at); end !== -1; end = data.indexOf(newline, at)) {
      this.#cut(data.subarray(at, end), this.#start + at, this.#start + end + 1, lines);
      at = end + 1;
    }
    data = data.subarray(at);
    this.#start += at;
    // Replaced states of a progress bar are dropped as they come, or a long run without a newline would be kept whole.
    const part = drawnPart(data);
    this.#start += part.byteOffset - data.byteOffset;
    data = part;
    while (data.length > maxLineBytes + 4) {
      const size = characterEnd(data, maxLineBytes);
      lines.push({ text: decode(data.subarray(0, size)), more: true, end: this.#start + size });
      data = data.subarray(size);
      this.#start += size;
    }
    this.#rest = Buffer.from(data);
    return lines;
  }

  /** The last line, when it has no newline. */
  end(): SplitLine[] {
    const lines: SplitLine[] = [];
    if (this.#rest.length > 0) {
      this.#cut(this.#rest, this.#start, this.#start + this.#rest.length, lines);
      this.#start += this.#rest.length;
      this.#rest = Buffer.alloc(0);
    }
    return lines;
  }

  #cut(line: Buffer, start: number, end: number, into: SplitLine[]): void {
    let part = withoutReturn(drawnPart(line));
    let at = start + (part.byteOffset - line.byteOffset);
    while (part.length > maxLineBytes) {
      const size = characterEnd(part, maxLineBytes);
      at += size;
      into.push({ text: decode(part.subarray(0, size)), more: true, end: at });
      part = part.subarray(size);
    }
    into.push({ text: decode(part), more: false, end });
  }
}

/** What is on the screen after the last carriage return that something followed. A return at the end replaces nothing yet. */
function drawnPart(line: Buffer): Buffer {
  let last = line.length;
  while (last > 0 && line[last - 1] === carriageReturn) last -= 1;
  if (last === 0) return line.subarray(line.length);
  return line.subarray(line.lastIndexOf(carriageReturn, last - 1) + 1);
}

function withoutReturn(line: Buffer): Buffer {
  let end = line.length;
  while (end > 0 && line[end - 1] === carriageReturn) end -= 1;
  return line.subarray(0, end);
}

/** The largest cut at or below `limit` which splits no UTF-8 character. */
function characterEnd(bytes: Buffer, limit: number): number {
  let end = limit;
  while (end > limit - 4 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return end > limit - 4 ? end : limit;
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
function decode(bytes: Buffer): string {
  const text = decoder.decode(withoutReturn(bytes));
  return text.includes('\0') ? text.replaceAll('\0', '\ufffd') : text;
}
