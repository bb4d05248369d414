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

/** A block of a compacted log: its lines from firstSeq on, a line of JSON each. */
export interface Block {
  firstSeq: number;
  /** Of the first line after it. */
  nextSeq: number;
  json: string;
}

/** Blocks unpacked at a time: of a long log so many are held at most, and both cores are kept busy with them. */
const blocksAtOnce = 8;

/** The blocks that hold lines from..to, fetched some at a time: who stops reading fetches no more. */
export async function* readBlocks(
  store: Store,
  key: string,
  index: LogIndex,
  from: number,
  to: number,
): AsyncGenerator<Block> {
  for (let low = blockOf(index, from); low + 1 < index.length && index[low]![0] <= to; low += blocksAtOnce) {
    let high = low + 1;
    while (high + 1 < index.length && high - low < blocksAtOnce && index[high]![0] <= to) high += 1;
    const start = index[low]![1];
    const bytes = await bytesOf(store, key, start, index[high]![1] - 1);
    const places = index.slice(low, high + 1);
    const texts = places
      .slice(0, -1)
      .map(([, offset], i) => unzip(bytes.subarray(offset - start, places[i + 1]![1] - start)));
    for (const [i, text] of (await Promise.all(texts)).entries())
      yield { firstSeq: places[i]![0], nextSeq: places[i + 1]![0], json: text.toString('utf8') };
  }
}

/** Which block holds a line. Blocks have about the same number of lines, yet the index says it: it is searched. */
function blockOf(index: LogIndex, seq: number): number {
  let low = 0;
  let high = index.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (index[middle]![0] <= seq) low = middle;
    else high = middle;
  }
  return low;
}

/** The lines of a block that are numbered from..to. */
export const linesIn = ({ firstSeq, json }: Block, from: number, to: number): StoredLine[] =>
  json
    .split('\n')
    .slice(Math.max(0, from - firstSeq), Math.max(0, to - firstSeq + 1))
    .map((line) => JSON.parse(line) as StoredLine);

/** Reads lines from..(from + limit - 1) of a compacted log, fetching only their blocks. */
export async function readArchive(
  store: Store,
  key: string,
  index: LogIndex,
  from: number,
  limit: number,
): Promise<{ firstSeq: number; lines: StoredLine[] }> {
  const to = from + limit - 1;
  const lines: StoredLine[] = [];
  for await (const block of readBlocks(store, key, index, from, to)) lines.push(...linesIn(block, from, to));
  return { firstSeq: from, lines };
}

async function bytesOf(store: Store, key: string, start: number, end: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of await store.get(key, { start, end })) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
