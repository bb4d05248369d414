import { means } from '../loop.js';
import type { Callback } from './callback.js';

const WIDTH = 24;

function clock(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  const pad = (n: number) => String(n).padStart(2, '0');
  const [h, m] = [Math.floor(s / 3600), Math.floor(s / 60) % 60];
  return h > 0 ? `${h}:${pad(m)}:${pad(s % 60)}` : `${m}:${pad(s % 60)}`;
}

const toStdout = (text: string): unknown => process.stdout.write(text);

/** One line an epoch, redrawn with \r at most five times a second; at the epoch's end it stays, with its scores. */
export function progressBar({ write = toStdout, now = () => performance.now() } = {}): Callback {
  let began = 0;
  let drawn = 0;
  let seen = 0;
  let done = 0;
  let width = 0;
  let rate = 0;
  const line = (text: string, end: string) => {
    write(`${width > 0 ? '\r' : ''}${text.padEnd(width)}${end}`);
    width = end ? 0 : text.length;
  };
  return {
    onEpochBegin() {
      [began, drawn, seen, done] = [now(), 0, 0, 0];
    },
    onTrainBatchEnd(run, n) {
      const at = now();
      seen += n;
      done++;
      rate = (seen * 1000) / (at - began);
      if (at - drawn < 200 && run.step < run.stepsPerEpoch) return;
      drawn = at;
      const { loss, accuracy } = means(run.totals);
      const filled = Math.floor((WIDTH * run.step) / run.stepsPerEpoch);
      const left = (((at - began) / done) * (run.stepsPerEpoch - run.step)) / 1000;
      line(
        `Epoch ${run.epoch + 1}/${run.epochs} [${'='.repeat(filled)}${'.'.repeat(WIDTH - filled)}] ` +
          `${run.step}/${run.stepsPerEpoch} ${rate.toFixed(0)} images/s, ${clock(left)} left, ` +
          `loss ${loss.toFixed(4)} acc ${accuracy.toFixed(4)}`,
        '',
      );
    },
    onEpochEnd(run, epoch, logs) {
      const scores = ['loss', 'accuracy', 'val_loss', 'val_accuracy']
        .filter((name) => logs[name] !== undefined)
        .map((name) => `${name.replace('accuracy', 'acc')} ${logs[name]!.toFixed(4)}`);
      const took = clock((now() - began) / 1000);
      line(
        `Epoch ${epoch + 1}/${run.epochs} ${scores.join(' ')} (${took}, ${rate.toFixed(0)} images/s)`,
        '\n',
      );
    },
    onInterrupt: () => line('', '\n'),
  };
}
