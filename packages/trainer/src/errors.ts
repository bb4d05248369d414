/** What went wrong in words a program can compare; the message is for the person. */
export type TrainerErrorCode =
  | 'bad_option'
  | 'no_data'
  | 'bad_data'
  | 'bad_weights'
  | 'bad_model'
  | 'bad_checkpoint'
  | 'output_full'
  | 'backend_unavailable'
  | 'input_failed'
  | 'diverged'
  | 'internal';

/**
 * The trainer's one error: what happened, to what, and (hint) what to do next.
 * The command prints message and hint and no stack; anything else that is thrown is a bug.
 */
export class TrainerError extends Error {
  readonly code: TrainerErrorCode;
  readonly hint: string | undefined;

  constructor(code: TrainerErrorCode, message: string, options: { cause?: unknown; hint?: string } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'TrainerError';
    this.code = code;
    this.hint = options.hint;
  }
}
