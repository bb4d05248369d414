import { type AttemptProof, workerRoutes } from '@mycloud/shared';
import { withContext } from '@mycloud/telemetry';
import type { AttemptFolder, Ending } from './attempt-folder.js';
import type { Share } from './capacity.js';
import { type Channels, openChannels } from './channels.js';
import type { WorkerDeps } from './deps.js';
import { isDiskFull } from './disk/room.js';
import { Broken, endEarly, Left, Lost } from './early-end.js';
import { endOfFailure } from './ending.js';
import { type EndingAttempt, finishAttempt, saveOutput } from './finishing.js';
import { follow } from './following.js';
import type { HeldMounts } from './inputs.js';
import { markerOf } from './marker.js';
import { prepareAndStart, type Started } from './preparing.js';
import { answered, isStale, untilAnswered } from './retry.js';
import type { JobProcess, Runner } from './runners/runner.js';
import type { RunningJob } from './running-job.js';
import { StageReports } from './stage-reports.js';
import { StageTimes } from './stage-times.js';
import { Stopper } from './stopper.js';
import { waitForTurn } from './waiting.js';

/** One attempt on this worker: prepare → run → save → finish. */
export class Execution {
  readonly proof: AttemptProof;
  /** Resolves when the attempt is over or left. Never rejects. */
  readonly done: Promise<void>;
  #deps: WorkerDeps;
  #folder: AttemptFolder;
  #share: Share;
  #channels: Channels;
  /** Chosen by its environment; an adopted one keeps its own. */
  #runner: Runner | null;
  #mounts: HeldMounts | null;
  #releaseEnvironment: () => void;
  #marker: string;
  #stopper: Stopper | null = null;
  /** Ends preparing, for a stop. */
  #preparing = new AbortController();
  /** Ends everything: lost or left. */
  #over = new AbortController();
  #stages: StageReports;
  #times: StageTimes;

  /**
   * @param folder of an attempt that is new, or was begun by an earlier worker
   * @param mounts what a running attempt that is adopted uses of the cache
   */
  constructor(deps: WorkerDeps, folder: AttemptFolder, share: Share, mounts: HeldMounts | null = null) {
    const { jobId, attempt, fence } = folder.state.assignment;
    this.proof = { jobId, attempt, fence };
    this.#deps = deps;
    this.#folder = folder;
    this.#share = share;
    this.#mounts = mounts;
    this.#releaseEnvironment = deps.environments.hold(folder.state.environments ?? []);
    const { runner } = folder.state;
    this.#runner = runner ? deps.runners.named(runner) : null;
    this.#marker = markerOf(folder.state.assignment);
    const onFailure = (error: unknown): void => this.#writeFailed(error);
    this.#channels = openChannels(deps.client, this.proof, folder, onFailure);
    this.#stages = new StageReports(deps.client, this.proof, this.#over.signal, onFailure);
    const { traceparent, name } = folder.state.assignment;
    this.#times = new StageTimes(deps, name);
    this.done = withContext({ jobId, attempt, traceparent: traceparent ?? undefined }, () => this.#live());
  }

  /** null while its command doesn't run. */
  get running(): RunningJob | null {
    const { phase, process: job, env, port } = this.#folder.state;
    const runner = this.#runner;
    if (phase !== 'running' || !job || !runner || this.#over.signal.aborted) return null;
    return {
      env: env ?? {},
      exec: (request) => runner.exec(job, this.#folder, request),
      port: async () => (port === undefined ? null : runner.reachPort(job, port)),
    };
  }

  /**
   * Ends the job in its own time: SIGTERM, grace, SIGKILL, then saving as always. The first order counts.
   * @param graceSeconds less than usual for a job that does harm meanwhile
   */
  stop(order: Ending, graceSeconds = this.#deps.config.graceSeconds): void {
    const { state } = this.#folder;
    if (state.stop || state.phase === 'saving' || state.phase === 'finishing') return;
    this.#preparing.abort();
    this.#stopper?.stop(graceSeconds);
    // Last, since a full disk may refuse it.
    this.#folder.update({ stop: order });
  }

  /** The api refused this attempt: it is ended and nothing further is written. */
  lose(): void {
    if (this.#over.signal.aborted) return;
    this.#over.abort(new Lost());
    this.#stopper?.kill();
  }

  /** Lets go of it, for the next worker to adopt. */
  leave(): void {
    if (!this.#over.signal.aborted) this.#over.abort(new Left());
  }

  async #live(): Promise<void> {
    const { tracing, log, metrics } = this.#deps;
    const { state } = this.#folder;
    const { phase } = state;
    const { name, machine, environment } = state.assignment;
    const attributes = {
      'mycloud.job': name,
      'mycloud.job_id': this.proof.jobId,
      'mycloud.attempt': this.proof.attempt,
      'mycloud.worker': this.#deps.config.name,
      'mycloud.machine': machine.name,
      'mycloud.environment': environment.name,
    };
    metrics.attempts.inc();
    try {
      await tracing.span('attempt', { kind: 'consumer', attributes }, async (span) => {
        if (phase === 'preparing') await this.#times.run('prepare', () => this.#prepareAndStart());
        if (this.#folder.state.phase === 'waiting')
          await this.#times.run('wait', () => this.#awaitTurn(phase === 'waiting'));
        if (this.#folder.state.phase === 'running')
          await this.#times.run('run', () => this.#run(phase === 'running'));
        if (this.#folder.state.phase === 'saving')
          await this.#times.run('save', () => saveOutput(this.#ending()));
        await this.#times.run('finish', () => finishAttempt(this.#ending()));
        const reason = this.#folder.state.end?.reason ?? 'worker_error';
        span.set({ 'mycloud.reason': reason });
        metrics.attemptsEnded.inc({ reason });
        log.info({ job: name, reason, ms: this.#times.ms }, 'attempt ended');
      });
      await this.#folder.remove();
    } catch (error) {
      await this.#endEarly(error);
    } finally {
      metrics.attempts.dec();
      await this.#close();
    }
  }

  async #prepareAndStart(): Promise<void> {
    const signal = AbortSignal.any([this.#preparing.signal, this.#over.signal]);
    let started: Started;
    try {
      if (this.#folder.state.stop) this.#preparing.abort();
      this.#runner = this.#deps.runners.for(this.#folder.state.assignment.environment);
      started = await prepareAndStart({
        deps: this.#deps,
        runner: this.#runner,
        folder: this.#folder,
        marker: this.#marker,
        share: this.#share,
        say: (line) => this.#channels.book.system(line),
        hold: (mounts) => {
          this.#mounts = mounts;
        },
        holdEnvironment: ({ folders, release }) => {
          this.#releaseEnvironment = release;
          this.#folder.update({ environments: folders });
        },
        signal,
      });
    } catch (error) {
      return this.#neverStarted(error);
    }
    this.#noteStart(started, this.#runner);
  }

  #noteStart({ job, env, port }: Started, runner: Runner): void {
    const waits = runner.awaitTurn !== undefined;
    try {
      this.#folder.update({
        phase: waits ? 'waiting' : 'running',
        process: job,
        runner: runner.name,
        gpus: [...this.#share.gpus],
        env,
        ...(port === null ? {} : { port }),
        ...(waits ? {} : { startedAt: Date.now() }),
      });
    } catch (error) {
      // A job may fill the disk before that is written. It runs, and is ended and blamed for it as any other; a worker killed
      // meanwhile leaves it to the next one, which kills it and begins anew.
      if (!isDiskFull(error)) throw error;
      this.#deps.log.warn({ err: error, ...this.proof }, 'the disk is full: that the job runs is not noted');
    }
    if (!waits) this.#stages.report('running');
  }

  /** It was stopped before that, or could not be. @throws what ends the execution itself */
  #neverStarted(error: unknown): void {
    this.#over.signal.throwIfAborted();
    if (isStale(error)) throw error;
    const stopped = this.#folder.state.stop;
    const end =
      stopped && this.#preparing.signal.aborted ? { ...stopped, exitCode: null } : endOfFailure(error);
    this.#channels.book.system(stopped ? 'stopped before it started' : `could not be started: ${end.detail}`);
    this.#folder.update({ phase: 'saving', end });
  }

  /** Until what runs the job begins it. @param adopted an earlier worker handed it over, or was about to */
  async #awaitTurn(adopted: boolean): Promise<void> {
    const runner = this.#runner;
    if (!runner?.awaitTurn) throw new Error('a waiting attempt has no runner with a queue');
    if (this.#folder.state.stop) this.#preparing.abort();
    try {
      const turn = await waitForTurn({
        runner,
        folder: this.#folder,
        adopted,
        say: (why) => this.#tell('waiting', why),
        stop: this.#preparing.signal,
        signal: this.#over.signal,
      });
      if (turn === 'withdrawn') return this.#neverStarted(this.#preparing.signal.reason);
      const begun = turn === 'ended' ? {} : { startedAt: turn.begunAt };
      this.#folder.update({ phase: 'running', ...begun });
      if (turn === 'ended') return;
      this.#channels.book.system(turn.where);
      this.#stages.report('running');
    } catch (error) {
      this.#neverStarted(error);
    }
  }

  /** Follows the running command to its end. @param adopted an earlier worker started it */
  async #run(adopted: boolean): Promise<void> {
    const { process: job, stop } = this.#folder.state;
    const runner = this.#runner;
    if (!job || !runner) throw new Error('a running attempt has no process');
    if (adopted) {
      // It may have been left before that was told.
      if (this.#folder.state.startedAt) this.#stages.report('running');
      // Beside all else: an engine may take its time, and an order to stop must not wait for it.
      void runner.endSessions?.(job);
    }
    this.#stopper = this.#stopperOf(runner, job);
    if (stop) this.#stopper.stop(this.#deps.config.graceSeconds);
    const end = await follow({
      deps: this.#deps,
      runner,
      folder: this.#folder,
      channels: this.#channels,
      job,
      gpus: this.#share.gpus,
      stopper: this.#stopper,
      adopted,
      onExit: () => this.#share.free(),
      onFailure: (error) => this.#writeFailed(error),
      onGpuIdle: (detail) => {
        if (this.#deps.config.gpuIdle.stop) this.stop({ reason: 'gpu_idle', detail });
        else this.#warn(detail);
      },
      onDiskOver: (detail, grace) => this.stop({ reason: 'disk_limit', detail }, grace),
      onMaxRuntime: (seconds) => this.stop({ reason: 'max_runtime', detail: `${seconds} s` }),
      signal: this.#over.signal,
    });
    this.#folder.update({ phase: 'saving', end });
  }

  #ending(): EndingAttempt {
    return {
      deps: this.#deps,
      proof: this.proof,
      folder: this.#folder,
      channels: this.#channels,
      stages: this.#stages,
      signal: this.#over.signal,
    };
  }

  #warn(message: string): void {
    this.#tell('warning', message);
  }

  /** A word in its log and in the steps of its life; the job goes on. */
  #tell(type: 'warning' | 'waiting', message: string): void {
    this.#channels.book.system(type === 'warning' ? `warning: ${message}` : message);
    const { jobId, attempt, fence } = this.proof;
    const { client } = this.#deps;
    const input = { params: { jobId }, body: { attempt, fence, type, message: message.slice(0, 1000) } };
    const { signal } = this.#over;
    const tell = (limit: AbortSignal) => client.call(workerRoutes.event, input, { signal: limit });
    untilAnswered(() => answered(tell, signal), signal).catch((error: unknown) => this.#writeFailed(error));
  }

  /** A write the api refused for good, or a file that can't be read: the attempt can't go on. */
  #writeFailed(error: unknown): void {
    if (this.#over.signal.aborted) return;
    if (isStale(error)) {
      this.lose();
      return;
    }
    this.#over.abort(new Broken('the attempt can not go on', { cause: error }));
    this.#stopper?.kill();
  }

  #endEarly(error: unknown): Promise<void> {
    const { process: job } = this.#folder.state;
    const runner = this.#runner;
    const stopper = this.#stopper ?? (job && runner ? this.#stopperOf(runner, job) : null);
    const attempt = { deps: this.#deps, proof: this.proof, folder: this.#folder, runner, stopper };
    return endEarly(attempt, this.#over.signal.aborted ? this.#over.signal.reason : error);
  }

  #stopperOf(runner: Runner, job: JobProcess): Stopper {
    return new Stopper(runner, job, this.#folder.runDir, (error) => {
      this.#deps.log.warn({ err: error, ...this.proof }, 'the job could not be signalled; trying again');
    });
  }

  async #close(): Promise<void> {
    this.#channels.close();
    await this.#mounts?.release();
    this.#releaseEnvironment();
    this.#share.release();
  }
}
