import { maskedCrc32c } from './crc32c.js';

const HEAD = 12;
const TAIL = 4;

/** One TFRecord: length (uint64), CRC of the length, data, CRC of the data; all little-endian. */
export function frameRecord(data: Uint8Array): Uint8Array {
  const framed = new Uint8Array(HEAD + data.length + TAIL);
  const view = new DataView(framed.buffer);
  view.setBigUint64(0, BigInt(data.length), true);
  view.setUint32(8, maskedCrc32c(framed.subarray(0, 8)), true);
  framed.set(data, HEAD);
  view.setUint32(HEAD + data.length, maskedCrc32c(data), true);
  return framed;
}

export type Unframed =
  | { kind: 'record'; data: Uint8Array; bytes: number }
  /** More bytes are to come: `needs` in all from this record's start. */
  | { kind: 'partial'; needs: number }
  /** The data is damaged but its length is known: reading goes on after `bytes`. */
  | { kind: 'damaged'; bytes: number }
  /** The length itself is damaged: nothing after it can be found. */
  | { kind: 'lost' };

/** Takes the record that starts at `at`. */
export function unframeRecord(buffer: Uint8Array, at: number): Unframed {
  const left = buffer.length - at;
  if (left < HEAD) return { kind: 'partial', needs: HEAD };
  const view = new DataView(buffer.buffer, buffer.byteOffset + at, left);
  if (view.getUint32(8, true) !== maskedCrc32c(buffer.subarray(at, at + 8))) return { kind: 'lost' };
  const length = Number(view.getBigUint64(0, true));
  const bytes = HEAD + length + TAIL;
  if (left < bytes) return { kind: 'partial', needs: bytes };
  const data = buffer.subarray(at + HEAD, at + HEAD + length);
  if (view.getUint32(HEAD + length, true) !== maskedCrc32c(data)) return { kind: 'damaged', bytes };
  return { kind: 'record', data, bytes };
}
