import type { LogLine, SentLine } from '@mycloud/shared';
import { storable } from '../jobs/text.js';

/** A line as it is stored: [time, source (0 job, 1 system), text, more (1) or nothing]. Its number follows from its batch. */
export type StoredLine = [time: number, source: 0 | 1, text: string, more?: 1];

export function toStored(line: SentLine): StoredLine {
  const source = line.source === 'system' ? 1 : 0;
  const text = storable(line.text);
  return line.more ? [line.time, source, text, 1] : [line.time, source, text];
}

export function fromStored(line: StoredLine, attempt: number, seq: number): LogLine {
  const [time, source, text, more] = line;
  return {
    seq,
    attempt,
    time,
    source: source === 1 ? 'system' : 'job',
    text,
    ...(more === 1 && { more: true }),
  };
}

/** The lines of one attempt from a number on, as JSON of LogLine[]: written by hand, since a hundred readers may wait for it. */
export function linesJson(lines: readonly StoredLine[], attempt: number, firstSeq: number): string {
  let json = '';
  for (const [i, [time, source, text, more]] of lines.entries()) {
    json += `${i > 0 ? ',' : ''}{"seq":${firstSeq + i},"attempt":${attempt},"time":${time},"source":"${source === 1 ? 'system' : 'job'}","text":${JSON.stringify(text)}${more === 1 ? ',"more":true' : ''}}`;
  }
  return `[${json}]`;
}

/** A place in a job's log: after this line. Attempts follow one another. */
export interface Cursor {
  attempt: number;
  seq: number;
}

export const startOfLog: Cursor = { attempt: 0, seq: 0 };

/** Reads `attempt.seq`; anything else is no cursor. */
export function parseCursor(text: string | undefined): Cursor | undefined {
  const match = /^(\d{1,9})\.(\d{1,15})$/.exec(text ?? '');
  return match ? { attempt: Number(match[1]), seq: Number(match[2]) } : undefined;
}

export const formatCursor = (cursor: Cursor): string => `${cursor.attempt}.${cursor.seq}`;

export const isBefore = (a: Cursor, b: Cursor): boolean =>
  a.attempt < b.attempt || (a.attempt === b.attempt && a.seq < b.seq);
