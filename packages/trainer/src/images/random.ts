/** A source of uniform numbers in [0, 1). */
export type Random = () => number;

/** murmur3's finalizer: every bit of the input reaches every bit of the result. */
function mix(h: number): number {
  let x = h;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/**
 * Uniform numbers that depend on the key alone (seed, epoch, picture): whoever asks, in whatever order and
 * thread, gets the same. The generator is sfc32, its state a hash of the key.
 */
export function keyedRandom(...key: number[]): Random {
  let h = 0x9e3779b9;
  for (const k of key) h = mix(Math.imul(h, 31) ^ mix(k >>> 0) ^ mix(Math.floor(k / 2 ** 32) + 0x51ed27));
  let a = mix(h + 1);
  let b = mix(h + 2);
  let c = mix(h + 3);
  let counter = 1;
  return () => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + t) | 0;
    return (t >>> 0) / 2 ** 32;
  };
}

/** 0 … n−1 in an order drawn from `random` (Fisher–Yates). */
export function permutation(n: number, random: Random): Uint32Array {
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    const held = order[i]!;
    order[i] = order[j]!;
    order[j] = held;
  }
  return order;
}
