const table = new Int32Array(256).map((_, byte) => {
  let c = byte;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
  return c;
});

function crc32c(data: Uint8Array): number {
  let c = -1;
  for (const byte of data) c = (c >>> 8) ^ table[(c ^ byte) & 255]!;
  return ~c >>> 0;
}

/** CRC-32C (Castagnoli), turned and shifted as TFRecord stores it (tensorflow/tsl/lib/hash/crc32c.h, Mask). */
export function maskedCrc32c(data: Uint8Array): number {
  const crc = crc32c(data);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
