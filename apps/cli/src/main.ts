import { setFlagsFromString } from 'node:v8';
import { AppError } from '@mycloud/shared/browser';
import { CommanderError } from 'commander';
import { ExitCode, exitCodeOf } from './exit.js';
import { buildProgram } from './program.js';
import { errorText } from './text.js';
import { traced } from './tracing.js';

/** The outermost edge: the only place that prints an error and exits. */
export async function run(argv = process.argv): Promise<void> {
  // V8 by itself lets a heap grow to four times what lives in it: an upload of a million files would take as much again.
  setFlagsFromString('--heap-growing-percent=60');
  for (const stream of [process.stdout, process.stderr]) {
    // `mycloud … | head` ends quietly.
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') process.exit(0);
      throw error;
    });
  }
  try {
    await traced(argv.slice(2), () => buildProgram().parseAsync(argv));
    await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
    // Left to end by itself, Node first finishes compiling what it won't run any more: a tenth of a second after each request.
    process.exit();
  } catch (error) {
    if (error instanceof CommanderError) process.exit(error.exitCode === 0 ? 0 : 2);
    if (error instanceof ExitCode) process.exit(error.code);
    process.stderr.write(error instanceof AppError ? errorText(error) : unexpected(error));
    process.exit(exitCodeOf(error));
  }
}

/** Resolves once all that was written is out, or nobody reads it any more. */
const flushed = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => stream.write('', () => resolve()));

function unexpected(error: unknown): string {
  if (process.env.MYCLOUD_DEBUG) return `${error instanceof Error ? error.stack : String(error)}\n`;
  return `${error instanceof Error ? error.message : String(error)}\nSet MYCLOUD_DEBUG=1 to see where this comes from.\n`;
}
