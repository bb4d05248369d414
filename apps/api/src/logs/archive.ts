import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { Store } from '../store/store.js';
import type { StoredLine } from './lines.js';

/**
 * A compacted log: gzip members of about `blockLines` lines each, one after another, a line of JSON a log line.
 * The index holds [first line's number, byte offset] of each, and at the end [number after the last, size].
 */
export type LogIndex = [seq: number, offset: number][];

const blockLines = 2000;
const zip = promisify(gzip);
const unzip = promisify(gunzip);

/** Packs lines (numbered from 1) as they come. */
export async function packLog(lines: AsyncIterable<StoredLine>): Promise<{ bytes: Buffer; index: LogIndex }> {
  const blocks: Buffer[] = [];
  const index: LogIndex = [];
  let block: StoredLine[] = [];
  let seq = 1;
  let offset = 0;
  const flush = async () => {
    if (block.length === 0) return;
    const bytes = await zip(block.map((line) => JSON.stringify(line)).join('\n'));
    index.push([seq, offset]);
    blocks.push(bytes);
    offset += bytes.length;
    seq += block.length;
    block = [];
  };
  for await (const line of lines) {
    block.push(line);
    if (block.length === blockLines) await flush();
  }
  await flush();
  index.push([seq, offset]);
  return { bytes: Buffer.concat(blocks), index };
}

/** Reads lines from..(from + limit - 1) of a compacted log, fetching only their blocks. */
export async function readArchive(
  store: Store,
  key: string,
  index: LogIndex,
  from: number,
  limit: number,
): Promise<{ firstSeq: number; lines: StoredLine[] }> {
  // Blocks hold about the same number of lines, yet the index says it: search it.
  let low = 0;
  let high = index.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (index[middle]![0] <= from) low = middle;
    else high = middle;
  }
  const lines: StoredLine[] = [];
  for (let i = low; i + 1 < index.length && lines.length < limit; i++) {
    const [seq, start] = index[i]!;
    const end = index[i + 1]![1] - 1;
    const text = await unzip(await bytesOf(store, key, start, end));
    const block = text
      .toString('utf8')
      .split('\n')
      .map((line) => JSON.parse(line) as StoredLine);
    lines.push(...block.slice(Math.max(0, from - seq)));
  }
  return { firstSeq: from, lines: lines.slice(0, limit) };
}

async function bytesOf(store: Store, key: string, start: number, end: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of await store.get(key, { start, end })) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
