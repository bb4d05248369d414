import { readLatestCheckpoint, removeCheckpoints, writeCheckpoint } from '../checkpoint.js';
import { TrainerError } from '../errors.js';
import type { TrainingRun } from '../loop.js';
import type { Callback } from './callback.js';

export interface BackupAndRestoreOptions {
  backupDir: string;
  /** Within an epoch, a checkpoint is written when this long has passed since the last one; 60 when not given. */
  everySeconds?: number;
  /** And when so many steps were taken since; not by steps when not given. */
  everySteps?: number;
  /** Goes on from the newest checkpoint that is whole; true when not given. */
  resume?: boolean;
  /** Told where it went on, and of a checkpoint that is damaged. */
  log?: (text: string) => void;
}

/**
 * Keras's BackupAndRestore, to the step: writes a checkpoint after each epoch, every so many seconds or steps within
 * one, and when the training is interrupted, and puts the newest one back when it begins, so that the numbers are those of a training that was never stopped.
 */
export function backupAndRestore({
  backupDir,
  everySeconds = 60,
  everySteps = Number.POSITIVE_INFINITY,
  resume = true,
  log = () => undefined,
}: BackupAndRestoreOptions): Callback {
  let anew = !resume;
  let saved = performance.now();
  let steps = 0;
  const save = async (run: TrainingRun) => {
    // A training that began anew replaces an earlier one's checkpoints, but not before it has its own.
    if (anew) await removeCheckpoints(backupDir);
    anew = false;
    const { epoch, step, totals, history, stepsPerEpoch } = run;
    const model = await run.model.state();
    await writeCheckpoint(backupDir, run.model, {
      epoch,
      step,
      totals,
      history,
      stepsPerEpoch,
      batchSize: run.train.batchSize,
      train: run.train.state(),
      model,
    });
    saved = performance.now();
    steps = 0;
  };
  return {
    async onRestore(run) {
      saved = performance.now();
      if (!resume) return;
      const found = await readLatestCheckpoint(backupDir, run.model, log);
      if (!found) return;
      const { model, train, batchSize, stepsPerEpoch, ...position } = found;
      if (batchSize !== run.train.batchSize || stepsPerEpoch !== run.stepsPerEpoch) {
        throw new TrainerError(
          'bad_checkpoint',
          `The checkpoint in ${backupDir} is of ${stepsPerEpoch} steps of ${batchSize} pictures an epoch`,
          { hint: 'Go on with the same data and batch size, or begin anew with --no-resume.' },
        );
      }
      await run.model.restore(model);
      run.train.restore(train);
      Object.assign(run, position);
      const where = run.step === 0 ? `epoch ${run.epoch + 1}` : `step ${run.step} of epoch ${run.epoch + 1}`;
      log(`Going on from the checkpoint at ${where}.`);
    },
    async onTrainBatchEnd(run) {
      steps++;
      const due = performance.now() - saved >= everySeconds * 1000 || steps >= everySteps;
      if (due && run.step < run.stepsPerEpoch) await save(run);
    },
    onEpochEnd: (run) => save(run),
    onInterrupt: (run) => save(run),
  };
}
