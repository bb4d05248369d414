/** 1h 02m, 3m 04s, 5s, as the command line writes it. */
export function durationText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const pad = (n: number) => String(n).padStart(2, '0');
  if (seconds >= 86_400)
    return `${Math.floor(seconds / 86_400)}d ${pad(Math.floor((seconds % 86_400) / 3600))}h`;
  if (seconds >= 3600) return `${Math.floor(seconds / 3600)}h ${pad(Math.floor((seconds % 3600) / 60))}m`;
  return seconds >= 60 ? `${Math.floor(seconds / 60)}m ${pad(seconds % 60)}s` : `${seconds}s`;
}

const units = ['B', 'KB', 'MB', 'GB', 'TB'];

/** 12.3 MB: powers of 1,000. */
export function bytesText(bytes: number): string {
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, bytes)) / 3)));
  return power === 0 ? `${bytes} B` : `${(bytes / 1000 ** power).toFixed(1)} ${units[power]}`;
}

/** 8.0 GiB, as machines are sold and jobs are told. */
export const memoryText = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

export const countText = (n: number, noun: string): string =>
  `${n.toLocaleString('en')} ${n === 1 ? noun : `${noun}s`}`;

/** Four digits, whatever the size: 0.7512, 1.234e-7. */
export function valueText(value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  if (value === 0 || Number.isInteger(value)) return value.toLocaleString('en');
  const size = Math.abs(value);
  if (size < 1e-3 || size >= 1e7) return value.toExponential(2);
  return size >= 1000 ? value.toFixed(1) : value.toPrecision(4);
}

/** 14:02 today, 3 Nov 14:02 this year, 3 Nov 2025 before. */
export function timeText(iso: string, now: number): string {
  const time = new Date(iso);
  const today = new Date(now);
  const clock = time.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  if (time.toDateString() === today.toDateString()) return clock;
  const day = time.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' });
  return time.getFullYear() === today.getFullYear() ? `${day} ${clock}` : `${day} ${time.getFullYear()}`;
}

export const fullTime = (iso: string): string => new Date(iso).toLocaleString('en-GB');
