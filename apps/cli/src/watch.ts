import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '@mycloud/shared';
import { hint, print, printJson } from './output.js';

const everyMs = 1000;

/**
 * Looks again every second: on a terminal drawn anew in its place, elsewhere printed again when it has changed. Ends with
 * Ctrl-C, or once it is over. A server that doesn't answer for a while is waited for.
 */
export async function watch<T>({
  look,
  text,
  isOver,
  json,
}: {
  look: () => Promise<T>;
  text: (now: T) => string;
  isOver?: (now: T) => boolean;
  json?: boolean;
}): Promise<void> {
  const left = new AbortController();
  const leave = () => left.abort();
  process.once('SIGINT', leave);
  const screen = json ? undefined : openScreen();
  let shown = '';
  let away = false;
  try {
    for (;;) {
      const now = await look().catch((error: unknown) => {
        if (!(error instanceof AppError && error.code === 'unavailable') || shown === '') throw error;
        if (!away) hint(`${error.message}; trying again`);
        away = true;
        return undefined;
      });
      if (left.signal.aborted) return;
      if (now !== undefined) {
        away = false;
        const facts = JSON.stringify(now);
        if (screen) screen.draw(text(now), facts !== shown);
        else if (facts !== shown) printJson(now);
        shown = facts;
        if (isOver?.(now)) return;
      }
      await sleep(everyMs, undefined, { signal: left.signal }).catch(() => undefined);
      if (left.signal.aborted) return;
    }
  } finally {
    process.removeListener('SIGINT', leave);
    screen?.close();
  }
}

/** A part of the terminal that is drawn again and again; what doesn't fit into its height is left out and told. */
function openScreen() {
  const { stdout } = process;
  if (!stdout.isTTY)
    return { draw: (text: string, isNew: boolean) => isNew && print(text), close: () => undefined };
  let rows = 0;
  stdout.write('\x1b[?25l');
  return {
    draw(text: string): void {
      const lines = text.trimEnd().split('\n');
      const room = Math.max(2, (stdout.rows ?? 24) - 1);
      const fits =
        lines.length <= room ? lines : [...lines.slice(0, room - 1), `… ${lines.length - room + 1} more`];
      // Each line is cut at the right, so that one line is one row.
      const drawn = fits.map((line) => `\x1b[2K${line}\n`).join('');
      stdout.write(`${rows > 0 ? `\x1b[${rows}A` : ''}\x1b[?7l${drawn}\x1b[?7h\x1b[0J`);
      rows = fits.length;
    },
    close: () => void stdout.write('\x1b[?25h'),
  };
}
