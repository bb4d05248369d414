import type { LogLine } from '@mycloud/shared';
import { paint } from './text.js';

/** A line as the terminal shows it; the system's own are marked. */
export function lineText(line: LogLine): string {
  const c = paint(process.stdout);
  return line.source === 'system' ? c.dim(`[mycloud] ${line.text}`) : line.text;
}
