import { AppError, type AttemptProof, workerRoutes } from '@mycloud/shared';
import type { AttemptFolder } from './attempt-folder.js';
import type { Channels } from './channels.js';
import type { WorkerDeps } from './deps.js';
import { isDiskFull } from './disk/room.js';
import type { LastLines } from './logs/log-sender.js';
import { misplacedOutput } from './misplaced-output.js';
import { answered, isStale, untilAnswered } from './retry.js';
import type { StageReports } from './stage-reports.js';

/** An attempt whose command has ended, or never started. */
export interface EndingAttempt {
  deps: Pick<WorkerDeps, 'client' | 'log'>;
  proof: AttemptProof;
  folder: AttemptFolder;
  channels: Channels;
  stages: StageReports;
  signal: AbortSignal;
}

/** Saves the output whatever the end was; an output that can't be saved becomes its end. */
export async function saveOutput(ending: EndingAttempt): Promise<void> {
  const { folder, channels, stages, signal } = ending;
  const { end } = folder.state;
  if (!end) throw new Error('a saving attempt has no end');
  stages.report('saving');
  await channels.events.finish();
  try {
    const saved = await channels.output.save(signal);
    for (const skipped of saved?.skipped ?? []) channels.book.system(`not kept: ${skipped}`);
    if (!saved) tellMisplaced(ending);
  } catch (error) {
    signal.throwIfAborted();
    if (isStale(error)) throw error;
    const detail = error instanceof Error ? error.message : String(error);
    channels.book.system(`the output could not be saved: ${detail}`);
    const reason = isDiskFull(error) ? 'disk_full' : 'output_not_saved';
    folder.update({ end: { ...end, reason, detail } });
  }
  folder.update({ phase: 'finishing' });
}

/** Only a word in the log: that it can't be looked for, in a folder the job may have locked, fails nothing. */
function tellMisplaced({ deps, proof, folder, channels }: EndingAttempt): void {
  try {
    const misplaced = misplacedOutput(folder);
    if (misplaced) channels.book.system(misplaced);
  } catch (error) {
    deps.log.warn({ err: error, ...proof }, 'the code folder could not be looked through');
  }
}

/** Sends what is left and ends the attempt, however long the api is away. */
export async function finishAttempt(ending: EndingAttempt): Promise<void> {
  const { deps, proof, folder, channels, stages, signal } = ending;
  const { end, output, startedAt = null } = folder.state;
  if (!end) throw new Error('a finishing attempt has no end');
  const { jobId, attempt, fence } = proof;
  const [rest] = await Promise.all([channels.lines.rest(), channels.metrics.drain(), stages.end()]);
  signal.throwIfAborted();
  const body = {
    attempt,
    fence,
    ...end,
    detail: end.detail.slice(0, 10_000),
    outputSnapshotId: output?.snapshotId ?? null,
    lastSeq: channels.book.lastSeq,
    startedAt,
  };
  const finish = (last: LastLines | null) => {
    const input = { params: { jobId }, body: { ...body, ...last } };
    const call = (limit: AbortSignal) => deps.client.call(workerRoutes.finish, input, { signal: limit });
    return untilAnswered(() => answered(call, signal), signal);
  };
  await finish(rest).catch(async (error: unknown) => {
    // Lines before the rest are missing; an older api takes none with the end.
    if (!rest || !(error instanceof AppError) || error.code !== 'log_gap') throw error;
    await channels.lines.drain();
    await finish(null);
  });
}
