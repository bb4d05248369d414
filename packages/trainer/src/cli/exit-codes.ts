import type { TrainerErrorCode } from '../errors.js';

/** What `train` exits with for each error; 1 is kept for bugs, 128 + n for signals. */
export const exitCodes: Record<TrainerErrorCode, number> = {
  internal: 1,
  bad_option: 2,
  no_data: 3,
  bad_data: 3,
  input_failed: 3,
  backend_unavailable: 4,
  diverged: 5,
  bad_weights: 6,
  bad_model: 6,
  bad_checkpoint: 6,
  output_full: 7,
};
