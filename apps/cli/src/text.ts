import { stripVTControlCharacters } from 'node:util';
import type { AppError } from '@mycloud/shared/browser';
import pc from 'picocolors';

/** Colours for stdout and stderr apart: each only where it is a terminal, or FORCE_COLOR asks for it. */
export const paint = (stream: NodeJS.WriteStream) =>
  pc.createColors(
    !process.env.NO_COLOR &&
      !process.argv.includes('--no-color') &&
      (stream.isTTY || Boolean(process.env.FORCE_COLOR)),
  );

/** What happened, each detail, and what to do next. */
export function errorText(error: AppError): string {
  const c = paint(process.stderr);
  const lines = [`${c.red('error:')} ${error.message}`];
  for (const { path, message } of error.errors ?? []) lines.push(`  ${path ? `${path}: ` : ''}${message}`);
  if (error.hint) lines.push(c.dim(error.hint));
  // The server's own faults are looked up in its log by this.
  const server = error.code === 'internal' || error.code === 'unavailable';
  if (error.requestId && (server || process.env.MYCLOUD_DEBUG))
    lines.push(c.dim(`request ${error.requestId}`));
  return `${lines.join('\n')}\n`;
}

const units = ['B', 'KB', 'MB', 'GB', 'TB'];

/** 12.3 MB: powers of 1,000. */
export function bytesText(bytes: number): string {
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  return power === 0 ? `${bytes} B` : `${(bytes / 1000 ** power).toFixed(1)} ${units[power]}`;
}

/** "1 file", "2 files" */
export const countText = (n: number, noun: string): string =>
  `${n.toLocaleString('en')} ${n === 1 ? noun : `${noun}s`}`;

/** Reads 500, 500MB, 1.5 GB. @returns undefined for what is no number of bytes */
export function parseBytes(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([KMGT]?B)?$/i.exec(text.trim());
  if (!match) return undefined;
  return Math.round(Number(match[1]) * 1000 ** units.indexOf((match[2] ?? 'B').toUpperCase()));
}

/** 1h 02m, 3m 04s, 5s */
export function durationText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const pad = (n: number) => String(n).padStart(2, '0');
  if (seconds >= 3600) return `${Math.floor(seconds / 3600)}h ${pad(Math.floor((seconds % 3600) / 60))}m`;
  return seconds >= 60 ? `${Math.floor(seconds / 60)}m ${pad(seconds % 60)}s` : `${seconds}s`;
}

/** 2026-11-29 23:15, in the time zone of this machine. */
export function timeText(iso: string): string {
  const time = new Date(iso);
  const pad = (n: number) => String(n).padStart(2, '0');
  const day = [time.getFullYear(), pad(time.getMonth() + 1), pad(time.getDate())].join('-');
  return `${day} ${pad(time.getHours())}:${pad(time.getMinutes())}`;
}

/** Columns under a header, as wide as their widest cell. */
export function table(header: string[], rows: string[][]): string {
  const width = (text: string) => stripVTControlCharacters(text).length;
  const widths = header.map((title, i) => Math.max(width(title), ...rows.map((row) => width(row[i] ?? ''))));
  const line = (cells: string[]) =>
    cells
      .map((cell, i) => cell + ' '.repeat(widths[i]! - width(cell)))
      .join('  ')
      .trimEnd();
  const c = paint(process.stdout);
  return `${[c.dim(line(header)), ...rows.map(line)].join('\n')}\n`;
}
