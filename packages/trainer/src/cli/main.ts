import { TrainerError } from '../errors.js';
import { exitCodes } from './exit-codes.js';
import { parseOptions } from './options.js';
import { train } from './train.js';

const signals = { SIGTERM: 143, SIGINT: 130 } as const;

/** Runs `train` with the command line; returns its exit code. Only this file speaks to the process. */
export async function main(argv: string[]): Promise<number> {
  const stop = new AbortController();
  let code = 0;
  const onSignal = (signal: keyof typeof signals) => {
    code = signals[signal];
    // The first asks to end well, the second doesn't ask.
    if (stop.signal.aborted) process.exit(code);
    stop.abort();
  };
  for (const signal of Object.keys(signals)) process.on(signal, onSignal);
  try {
    const options = parseOptions(argv);
    if (!options) return 0;
    const end = await train(options, {
      env: process.env,
      signal: stop.signal,
      write: (text) => void process.stdout.write(text),
    });
    return end === 'interrupted' ? code : 0;
  } catch (error) {
    if (!(error instanceof TrainerError)) throw error;
    process.stderr.write(
      `train: ${error.message.replace(/\.?$/, '.')}\n${error.hint ? `  ${error.hint}\n` : ''}`,
    );
    return exitCodes[error.code];
  } finally {
    for (const signal of Object.keys(signals)) process.off(signal, onSignal);
  }
}
