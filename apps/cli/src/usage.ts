import { CommanderError } from 'commander';
import { hint } from './output.js';

/** A flag or argument that can't be right: said on stderr, and the program ends with 2. */
export function usage(text: string): CommanderError {
  hint(`error: ${text}`);
  return new CommanderError(2, 'usage', text);
}
