/** Four unsigned 32-bit words: the whole state of a Rng, as it stands in a checkpoint. */
export type RngState = [number, number, number, number];

/**
 * A small seeded generator (sfc32, Chris Doty-Humphrey, PractRand): the same seed gives the same numbers on every
 * machine and backend, and its state fits in a checkpoint.
 */
export class Rng {
  private s: Uint32Array;

  constructor(seed: number) {
    this.s = Uint32Array.of(seed, seed ^ 0x9e3779b9, seed ^ 0x85ebca6b, 1);
    for (let i = 0; i < 15; i++) this.uint32();
  }

  uint32(): number {
    const s = this.s;
    const out = (s[0]! + s[1]! + s[3]!) >>> 0;
    s[3] = s[3]! + 1;
    s[0] = s[1]! ^ (s[1]! >>> 9);
    s[1] = s[2]! + (s[2]! << 3);
    s[2] = ((s[2]! << 21) | (s[2]! >>> 11)) + out;
    return out;
  }

  /** Uniform in [0, 1), with the 24 bits a float32 can hold. */
  uniform(): number {
    return (this.uint32() >>> 8) / 2 ** 24;
  }

  state(): RngState {
    return [...this.s] as RngState;
  }

  restore(state: RngState): void {
    this.s = Uint32Array.from(state);
  }
}

/** `count` values uniform in ±√(6 / (fanIn + fanOut)) (Glorot and Bengio, 2010; Keras's default for kernels). */
export function glorotUniform(count: number, fanIn: number, fanOut: number, rng: Rng): Float32Array {
  const limit = Math.sqrt(6 / (fanIn + fanOut));
  return Float32Array.from({ length: count }, () => (rng.uniform() * 2 - 1) * limit);
}
