const shift = 14;
const blockLength = 1 << shift;
const mask = blockLength - 1;

type NumberArray = Uint8Array | Uint32Array;

/** A list of numbers that grows by blocks: a million of them are a few typed arrays, and nothing is copied to grow. */
export class Numbers {
  private readonly blocks: NumberArray[] = [];
  length = 0;

  constructor(private readonly make: (length: number) => NumberArray) {}

  /** The number at `index`, which must have been pushed. */
  at(index: number): number {
    return this.blocks[index >>> shift]![index & mask]!;
  }

  set(index: number, value: number): void {
    this.blocks[index >>> shift]![index & mask] = value;
  }

  /** @returns its index */
  push(value: number): number {
    const index = this.length++;
    if (index >>> shift === this.blocks.length) this.blocks.push(this.make(blockLength));
    this.set(index, value);
    return index;
  }

  /** Its bytes in memory, block by block: the same numbers always give the same bytes on one machine. */
  *bytes(): Generator<Uint8Array> {
    let left = this.length;
    for (const block of this.blocks) {
      const used = block.subarray(0, Math.min(left, blockLength));
      left -= used.length;
      yield new Uint8Array(used.buffer, used.byteOffset, used.byteLength);
    }
  }
}

export const bytes8 = (length: number): Uint8Array => new Uint8Array(length);
export const words32 = (length: number): Uint32Array => new Uint32Array(length);

const textBlockBytes = 1 << 20;
const mostBytes = 255;
/** So many texts have one beginning taken down: those between are found by their lengths. */
const groupShift = 4;
const groupLength = 1 << groupShift;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A list of texts of at most 255 bytes of UTF-8 each: a million take their bytes, and 1.25 MB beside. */
export class ShortTexts {
  private readonly blocks: Uint8Array[] = [];
  private used = textBlockBytes;
  private readonly lengths = new Numbers(bytes8);
  private readonly groups = new Numbers(words32);

  /** @throws RangeError for one that is longer */
  push(text: string): void {
    if (this.lengths.length % groupLength === 0) {
      // A group lies in one block.
      if (this.used + groupLength * mostBytes > textBlockBytes) {
        this.blocks.push(new Uint8Array(textBlockBytes));
        this.used = 0;
      }
      this.groups.push((this.blocks.length - 1) * textBlockBytes + this.used);
    }
    const room = this.blocks.at(-1)!.subarray(this.used, this.used + mostBytes);
    const { read, written } = encoder.encodeInto(text, room);
    if (read < text.length) throw new RangeError(`a text is longer than ${mostBytes} bytes`);
    this.lengths.push(written);
    this.used += written;
  }

  at(index: number): string {
    const group = this.groups.at(index >>> groupShift);
    let start = group % textBlockBytes;
    for (let i = index & -groupLength; i < index; i++) start += this.lengths.at(i);
    const block = this.blocks[Math.floor(group / textBlockBytes)]!;
    return decoder.decode(block.subarray(start, start + this.lengths.at(index)));
  }

  /** Their bytes and their lengths. */
  *bytes(): Generator<Uint8Array> {
    for (const [i, block] of this.blocks.entries()) {
      yield i === this.blocks.length - 1 ? block.subarray(0, this.used) : block;
    }
    yield* this.lengths.bytes();
  }
}
