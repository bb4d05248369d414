import { type Command, CommanderError, InvalidArgumentError } from 'commander';
import { TrainerError } from '../errors.js';

/** Parses a whole number that is at least `least`. */
export function whole(least: number) {
  return (text: string): number => {
    const value = Number(text);
    if (Number.isSafeInteger(value) && value >= least) return value;
    throw new InvalidArgumentError(`It must be a whole number from ${least} up.`);
  };
}

/** Parses a number that is at least `least` and below `below`. */
export function number(least: number, below = Number.POSITIVE_INFINITY) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() !== '' && value >= least && value < below) return value;
    const upper = Number.isFinite(below) ? ` and below ${below}` : '';
    throw new InvalidArgumentError(`It must be a number from ${least} up${upper}.`);
  };
}

/**
 * Reads a command line; undefined where it asked for help, which was printed.
 * @throws TrainerError 'bad_option'
 */
export function parseWith<T extends object>(command: Command, argv: string[]): T | undefined {
  const parser = command.exitOverride().configureOutput({ outputError: () => undefined });
  try {
    return parser.parse(argv, { from: 'user' }).opts<T>();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    throw new TrainerError('bad_option', error.message.replace(/^error: /, ''), {
      hint: `See ${command.name()} --help.`,
    });
  }
}
