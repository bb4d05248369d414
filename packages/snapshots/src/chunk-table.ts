import { Numbers, words32 } from './growing.js';

const hashBytes = 32;
const shift = 12;
const perBlock = 1 << shift;
const mask = perBlock - 1;
const firstSlots = 1 << 10;

/**
 * Different chunks, each once, by number: 32 bytes of hash, a size and a flag in four, and a hash table of 32-bit numbers
 * over them. A million take 44 MB, where strings in a Set would take 150.
 */
export class ChunkTable {
  private readonly blocks: Uint8Array[] = [];
  /** Twice the size, and one more where it is marked. */
  private readonly sizes = new Numbers(words32);
  private slots = new Uint32Array(firstSlots);
  /** Whoever writes a manifest chooses its hashes: unknown factors keep him from choosing ones that collide here. */
  private readonly factors = crypto.getRandomValues(new Uint32Array(hashBytes / 4)).map((n) => n | 1);

  get count(): number {
    return this.sizes.length;
  }

  /** @param hash 32 bytes of it from `at` on. @param size below 2 GiB. @returns the chunk's number */
  intern(hash: Uint8Array, at: number, size: number): number {
    let slot = this.slotOf(hash, at);
    const known = this.slots[slot]!;
    if (known > 0) return known - 1;
    if (this.count * 2 >= this.slots.length) {
      this.grow();
      slot = this.slotOf(hash, at);
    }
    const id = this.sizes.push(size * 2);
    if (id >>> shift === this.blocks.length) this.blocks.push(new Uint8Array(perBlock * hashBytes));
    this.blocks[id >>> shift]!.set(hash.subarray(at, at + hashBytes), (id & mask) * hashBytes);
    this.slots[slot] = id + 1;
    return id;
  }

  size(id: number): number {
    return this.sizes.at(id) >>> 1;
  }

  /** A view: it stays what it is for as long as the table lives. */
  hash(id: number): Uint8Array {
    const at = (id & mask) * hashBytes;
    return this.blocks[id >>> shift]!.subarray(at, at + hashBytes);
  }

  /** All hashes in the order of their numbers, some thousand a block: 32 bytes each, one after the other. */
  *hashBlocks(): Generator<Uint8Array> {
    for (const [i, block] of this.blocks.entries())
      yield block.subarray(0, Math.min(perBlock, this.count - (i << shift)) * hashBytes);
  }

  hex(id: number): string {
    const { buffer, byteOffset } = this.hash(id);
    return Buffer.from(buffer, byteOffset, hashBytes).toString('hex');
  }

  /** One bit a chunk, for whoever walks over them. @returns whether it was false */
  mark(id: number): boolean {
    if (this.marked(id)) return false;
    this.sizes.set(id, this.sizes.at(id) + 1);
    return true;
  }

  marked(id: number): boolean {
    return (this.sizes.at(id) & 1) === 1;
  }

  /** Where a hash is in the table, or the free slot where it would go. */
  private slotOf(hash: Uint8Array, at: number): number {
    const last = this.slots.length - 1;
    let slot = this.mix(hash, at) & last;
    for (;;) {
      const id = this.slots[slot]! - 1;
      if (id < 0 || this.same(id, hash, at)) return slot;
      slot = (slot + 1) & last;
    }
  }

  private mix(hash: Uint8Array, at: number): number {
    let sum = 0;
    for (let i = 0; i < 8; i++) {
      const o = at + i * 4;
      const word = hash[o]! | (hash[o + 1]! << 8) | (hash[o + 2]! << 16) | (hash[o + 3]! << 24);
      sum = Math.imul(sum ^ word, this.factors[i]!);
      sum ^= sum >>> 15;
    }
    return sum >>> 0;
  }

  private same(id: number, hash: Uint8Array, at: number): boolean {
    const block = this.blocks[id >>> shift]!;
    const start = (id & mask) * hashBytes;
    for (let i = 0; i < hashBytes; i++) if (block[start + i] !== hash[at + i]) return false;
    return true;
  }

  private grow(): void {
    this.slots = new Uint32Array(this.slots.length * 2);
    for (let id = 0; id < this.count; id++) this.slots[this.slotOf(this.hash(id), 0)] = id + 1;
  }
}
