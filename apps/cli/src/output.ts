import { bytesText } from './text.js';

/** stdout is data. */
export const print = (text: string): void => {
  process.stdout.write(text.endsWith('\n') ? text : `${text}\n`);
};
export const printJson = (value: unknown): void => print(JSON.stringify(value));
/** stderr is progress and hints. */
export const hint = (text: string): void => {
  process.stderr.write(text.endsWith('\n') ? text : `${text}\n`);
};

export interface TransferState {
  what: string;
  done: number;
  total: number;
}

/** A bar of bytes, rate and time left, redrawn in place on a terminal; elsewhere one line every ten seconds. */
export function transferBar() {
  const { stderr } = process;
  const began = Date.now();
  const everyMs = stderr.isTTY ? 100 : 10_000;
  let drawn = stderr.isTTY ? 0 : began;
  let open = false;
  return {
    show({ what, done, total }: TransferState): void {
      const now = Date.now();
      if (total === 0 || now - drawn < everyMs) return;
      drawn = now;
      const seconds = (now - began) / 1000;
      const rate = seconds > 0 ? done / seconds : 0;
      const left = rate > 0 && total > done ? `, ${Math.ceil((total - done) / rate)} s left` : '';
      const share = total > 0 ? Math.min(1, done / total) : 0;
      const bar = `${'█'.repeat(Math.round(share * 20)).padEnd(20, '░')} ${String(Math.floor(share * 100)).padStart(3)} %`;
      const line = `${what} ${bar} ${bytesText(done)} of ${bytesText(total)}, ${bytesText(Math.round(rate))}/s${left}`;
      stderr.write(stderr.isTTY ? `\r\x1b[K${line}` : `${line}\n`);
      open = stderr.isTTY;
    },
    end(): void {
      if (open) stderr.write('\r\x1b[K');
    },
  };
}
