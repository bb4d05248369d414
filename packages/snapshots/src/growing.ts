const shift = 14;
const blockLength = 1 << shift;
const mask = blockLength - 1;

type NumberArray = Uint8Array | Uint16Array | Uint32Array | Float64Array;

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
export const words16 = (length: number): Uint16Array => new Uint16Array(length);
export const words32 = (length: number): Uint32Array => new Uint32Array(length);
export const doubles = (length: number): Float64Array => new Float64Array(length);

const textBlockBytes = 1 << 20;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Short texts one after the other as UTF-8; none longer than a block. */
export class Texts {
  private readonly blocks: Uint8Array[] = [];
  private used = textBlockBytes;

  /** @returns where it is, and its length in bytes */
  push(text: string): { at: number; length: number } {
    // A character of UTF-16 takes at most three bytes.
    if (this.used + text.length * 3 > textBlockBytes) {
      this.blocks.push(new Uint8Array(textBlockBytes));
      this.used = 0;
    }
    const { written } = encoder.encodeInto(text, this.blocks.at(-1)!.subarray(this.used));
    const at = (this.blocks.length - 1) * textBlockBytes + this.used;
    this.used += written;
    return { at, length: written };
  }

  get(at: number, length: number): string {
    const start = at % textBlockBytes;
    return decoder.decode(this.blocks[Math.floor(at / textBlockBytes)]!.subarray(start, start + length));
  }

  *bytes(): Generator<Uint8Array> {
    for (const [i, block] of this.blocks.entries()) {
      yield i === this.blocks.length - 1 ? block.subarray(0, this.used) : block;
    }
  }
}
