import { TrainerError } from '../errors.js';
import { exitCodes } from './exit-codes.js';
import { parseOptions } from './options.js';
import { predict } from './predict.js';
import { parsePredictOptions } from './predict-options.js';
import { isScript, runScript } from './script.js';
import { type TrainDeps, train } from './train.js';

const signalCodes = { SIGTERM: 143, SIGINT: 130 } as const;

/** Runs `train` with the command line; returns its exit code. Only this file speaks to the process. */
export async function main(argv: string[]): Promise<number> {
  try {
    const [first, ...rest] = argv;
    if (isScript(first)) {
      await runScript(first, rest);
      return Number(process.exitCode ?? 0);
    }
    if (first === 'predict') {
      const options = parsePredictOptions(rest);
      return options ? await untilSignal((deps) => predict(options, deps)) : 0;
    }
    const options = parseOptions(argv);
    return options ? await untilSignal((deps) => train(options, deps)) : 0;
  } catch (thrown) {
    const error = inWords(thrown);
    if (!error) throw thrown;
    const message = error.message.replace(/\.?$/, '.');
    process.stderr.write(`train: ${message}\n${error.hint ? `  ${error.hint}\n` : ''}`);
    return exitCodes[error.code];
  }
}

/** A full disk is met wherever something is written: event files, tables, labels. */
function inWords(thrown: unknown): TrainerError | undefined {
  if (thrown instanceof TrainerError) return thrown;
  const { code, message } = thrown as NodeJS.ErrnoException;
  if (code !== 'ENOSPC') return undefined;
  return new TrainerError('output_full', message, {
    cause: thrown,
    hint: 'Make room in the output folder, then go on from the last checkpoint with --resume.',
  });
}

async function untilSignal(run: (deps: TrainDeps) => Promise<'done' | 'interrupted'>): Promise<number> {
  const stop = new AbortController();
  let code = 0;
  const onSignal = (signal: keyof typeof signalCodes) => {
    code = signalCodes[signal];
    // The first asks to end well, the second doesn't ask.
    if (stop.signal.aborted) process.exit(code);
    stop.abort();
  };
  for (const signal of Object.keys(signalCodes)) process.on(signal, onSignal);
  try {
    const end = await run({
      env: process.env,
      signal: stop.signal,
      write: (text) => void process.stdout.write(text),
    });
    return end === 'interrupted' ? code : 0;
  } finally {
    for (const signal of Object.keys(signalCodes)) process.off(signal, onSignal);
  }
}
