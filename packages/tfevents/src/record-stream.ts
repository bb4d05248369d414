import { unframeRecord } from './records.js';

export interface StreamedRecord {
  data: Uint8Array;
  /** Where the data begins in the file. */
  offset: number;
}

const head = 12;
/** A longer record is taken for damage. */
const recordLimit = 64 << 20;

/**
 * The records of an event file that comes in parts. Damaged ones are passed over; the file may end anywhere.
 * @param problem told what could not be read
 */
export async function* streamRecords(
  parts: AsyncIterable<Uint8Array>,
  problem: (text: string) => void,
): AsyncGenerator<StreamedRecord> {
  let left: Uint8Array = new Uint8Array(0);
  let start = 0;
  let needs = 0;
  const waiting: Uint8Array[] = [];
  let waits = 0;
  for await (const part of parts) {
    waiting.push(part);
    waits += part.length;
    if (left.length + waits < needs) continue;
    left = Buffer.concat([left, ...waiting.splice(0)]);
    waits = 0;
    let at = 0;
    for (;;) {
      const found = unframeRecord(left, at);
      if (found.kind === 'lost' || (found.kind === 'partial' && found.needs > recordLimit)) {
        problem(`is damaged at byte ${start + at}; what follows is not read`);
        return;
      }
      if (found.kind === 'partial') {
        needs = found.needs;
        break;
      }
      if (found.kind === 'damaged')
        problem(`has a damaged record at byte ${start + at}, which is passed over`);
      else yield { data: found.data, offset: start + at + head };
      at += found.bytes;
    }
    left = left.subarray(at);
    start += at;
  }
  if (left.length + waits > 0) problem(`is cut short at byte ${start + left.length + waits}`);
}
