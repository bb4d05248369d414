import { type AttemptProof, workerRoutes } from '@mycloud/shared';
import type { AttemptFolder, Ending } from './attempt-folder.js';
import type { Share } from './capacity.js';
import type { WorkerDeps } from './deps.js';
import { isDiskFull } from './disk.js';
import { endOfExit, endOfFailure } from './ending.js';
import { tellFailure } from './failure.js';
import { bringMounts, bringWorkingFolders, type HeldMounts } from './inputs.js';
import { jobEnv } from './job-env.js';
import { LogBook } from './logs/log-book.js';
import { LogSender } from './logs/log-sender.js';
import { LogTail } from './logs/log-tail.js';
import { EventMetrics } from './metrics/event-metrics.js';
import { parseMetricLine } from './metrics/metric-line.js';
import { MetricSender } from './metrics/metric-sender.js';
import { SystemMetrics } from './metrics/system-metrics.js';
import { type OutputSaver, openOutput } from './output.js';
import { isStale, untilAnswered } from './retry.js';
import type { JobDirs, JobProcess } from './runners/runner.js';
import { isAlive } from './runners/supervisor.js';
import { waitForExit } from './runners/wait-for-exit.js';
import { StageReports } from './stage-reports.js';
import { Stopper } from './stopper.js';

/** The lease is over: nothing more may be written for this attempt. */
class Lost extends Error {}
/** The worker goes; the job stays and is adopted by the next one. */
class Left extends Error {}
/** Something here broke, such as the disk: the api is told, and another attempt may do better. */
class Broken extends Error {}

/** One attempt on this worker: prepare → run → save → finish. */
export class Execution {
  readonly proof: AttemptProof;
  /** Resolves when the attempt is over or left. Never rejects. */
  readonly done: Promise<void>;
  #deps: WorkerDeps;
  #folder: AttemptFolder;
  #share: Share;
  #book: LogBook;
  #sender: LogSender;
  #metrics: MetricSender;
  #events: EventMetrics;
  #system = new SystemMetrics();
  #output: OutputSaver;
  #mounts: HeldMounts | null;
  #marker: string;
  #stopper: Stopper | null = null;
  /** Ends preparing, for a stop. */
  #preparing = new AbortController();
  /** Ends everything: lost or left. */
  #over = new AbortController();
  #stages: StageReports;

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
    this.#marker = markerOf(folder.state.assignment);
    const onFailure = (error: unknown): void => this.#writeFailed(error);
    this.#book = new LogBook(folder.file('lines'), (line, time) => {
      const point = parseMetricLine(line, time);
      if (point) this.#metrics.add([point]);
    });
    this.#metrics = new MetricSender(deps.client, this.proof, folder.file('metrics'), onFailure);
    this.#sender = new LogSender(deps.client, this.proof, this.#book, onFailure);
    this.#events = new EventMetrics(
      folder.outputDir,
      folder.file('events.json'),
      (points) => this.#metrics.add(points),
      onFailure,
    );
    this.#output = openOutput(deps.client, this.proof, folder);
    this.#stages = new StageReports(deps.client, this.proof, this.#over.signal, onFailure);
    this.done = this.#live();
  }

  /** Ends the job in its own time: SIGTERM, grace, SIGKILL, then saving as always. The first order counts. */
  stop(order: Ending): void {
    const { state } = this.#folder;
    if (state.stop || state.phase === 'saving' || state.phase === 'finishing') return;
    this.#folder.update({ stop: order });
    this.#preparing.abort();
    this.#stopper?.stop(this.#deps.config.graceSeconds);
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
    try {
      const { phase } = this.#folder.state;
      if (phase === 'preparing') await this.#prepareAndStart();
      if (this.#folder.state.phase === 'running') await this.#run(phase === 'running');
      if (this.#folder.state.phase === 'saving') await this.#save();
      await this.#finish();
      await this.#folder.remove();
    } catch (error) {
      await this.#endEarly(error);
    } finally {
      await this.#close();
    }
  }

  async #prepareAndStart(): Promise<void> {
    const signal = AbortSignal.any([this.#preparing.signal, this.#over.signal]);
    try {
      if (this.#folder.state.stop) this.#preparing.abort();
      const job = await this.#prepare(signal);
      this.#folder.update({
        phase: 'running',
        process: job,
        runner: this.#deps.runner.name,
        startedAt: Date.now(),
      });
      this.#stages.report('running');
    } catch (error) {
      this.#over.signal.throwIfAborted();
      if (isStale(error)) throw error;
      const stopped = this.#folder.state.stop;
      const end =
        stopped && this.#preparing.signal.aborted ? { ...stopped, exitCode: null } : endOfFailure(error);
      this.#book.system(stopped ? 'stopped before it started' : `could not be started: ${end.detail}`);
      this.#folder.update({ phase: 'saving', end });
    }
  }

  /** Brings inputs, code and environment, and starts the command. */
  async #prepare(signal: AbortSignal): Promise<JobProcess> {
    const { client, cache, runner, environments, config } = this.#deps;
    const { assignment } = this.#folder.state;
    const { machine } = assignment;
    const memory = `${(machine.memoryBytes / 2 ** 30).toFixed(1)} GiB`;
    this.#book.system(
      [
        ...assignment.notes,
        `preparing on ${config.name}: machine ${machine.name} (${machine.cores} ${machine.cores === 1 ? 'core' : 'cores'}, ${memory}), environment ${assignment.environment.name}, runner ${runner.name}`,
        ...assignment.mounts.map(({ name, snapshot }) => `mounting ${snapshot.slice(0, 12)} at /${name}`),
        ...(assignment.restore ? ['restoring the output of the attempt before'] : []),
      ].join('\n'),
    );
    const bringing = { client, cache, folder: this.#folder, signal };
    const [held] = await Promise.all([
      bringMounts(bringing, runner.mountsReadOnly),
      bringWorkingFolders(bringing),
    ]);
    this.#mounts = held;
    const say = (line: string): void => this.#book.system(line);
    const environment = await environments.prepare(assignment.environment, this.#folder.codeDir, say, signal);
    signal.throwIfAborted();
    const dirs = this.#dirs(held.mounts);
    const paths = runner.paths(dirs);
    const env = jobEnv({ assignment, paths, environment, gpus: this.#share.gpus, basePath: config.path });
    return runner.start({
      command: assignment.command,
      env,
      marker: this.#marker,
      dirs,
      readOnly: environment.readOnly,
      gpus: this.#share.gpus.length > 0,
    });
  }

  /** Follows the running command to its end. @param adopted an earlier worker started it */
  async #run(adopted: boolean): Promise<void> {
    const { assignment, process: job, startedAt = Date.now(), stop } = this.#folder.state;
    if (!job) throw new Error('a running attempt has no process');
    const { runner, config } = this.#deps;
    const runDir = this.#folder.runDir;
    // It may have been left before that was told.
    if (adopted) this.#stages.report('running');
    const vanished = adopted && !isAlive(job);
    const stopper = new Stopper(runner, job, runDir);
    this.#stopper = stopper;
    if (stop) stopper.stop(config.graceSeconds);
    const tail = new LogTail(this.#folder.logFile, this.#book, (error) => this.#writeFailed(error));
    tail.start();
    this.#system.start(
      () => runner.members(job, runDir),
      (points) => this.#metrics.add(points),
    );
    this.#events.start();
    this.#output.startSync(config.outputSyncSeconds, (error) => this.#writeFailed(error));
    const deadline = this.#atMaxRuntime(startedAt);
    try {
      const exitCode = await waitForExit(job, runDir, this.#over.signal);
      stopper.ended();
      this.#share.free();
      await tail.finish();
      const facts = {
        exitCode,
        recent: this.#book.recent,
        command: assignment.command,
        peakMemory: this.#system.peakMemory,
        memoryLimit: assignment.machine.memoryBytes,
        vanished,
      };
      const ordered = this.#folder.state.stop;
      this.#folder.update({ phase: 'saving', end: ordered ? { ...ordered, exitCode } : endOfExit(facts) });
    } finally {
      if (deadline) clearTimeout(deadline);
      await tail.close();
      this.#system.stop();
      await this.#output.stopSync();
    }
  }

  /** Saves the output whatever the end was. */
  async #save(): Promise<void> {
    const { end } = this.#folder.state;
    if (!end) throw new Error('a saving attempt has no end');
    this.#stages.report('saving');
    await this.#events.finish();
    try {
      const saved = await this.#output.save(this.#over.signal);
      for (const skipped of saved?.skipped ?? []) this.#book.system(`not kept: ${skipped}`);
    } catch (error) {
      this.#over.signal.throwIfAborted();
      if (isStale(error)) throw error;
      const detail = error instanceof Error ? error.message : String(error);
      this.#book.system(`the output could not be saved: ${detail}`);
      const reason = isDiskFull(error) ? 'disk_full' : 'output_not_saved';
      this.#folder.update({ end: { ...end, reason, detail } });
    }
    this.#folder.update({ phase: 'finishing' });
  }

  /** Sends what is left and ends the attempt, however long the api is away. */
  async #finish(): Promise<void> {
    const { end, output, startedAt = null } = this.#folder.state;
    if (!end) throw new Error('a finishing attempt has no end');
    const { jobId, attempt, fence } = this.proof;
    await Promise.all([this.#sender.drain(), this.#metrics.drain(), this.#stages.end()]);
    this.#over.signal.throwIfAborted();
    const body = {
      attempt,
      fence,
      ...end,
      detail: end.detail.slice(0, 10_000),
      outputSnapshotId: output?.snapshotId ?? null,
      lastSeq: this.#book.lastSeq,
      startedAt,
    };
    const { client } = this.#deps;
    await untilAnswered(
      () => client.call(workerRoutes.finish, { params: { jobId }, body }, { signal: this.#over.signal }),
      this.#over.signal,
    );
  }

  #atMaxRuntime(startedAt: number): NodeJS.Timeout | null {
    const seconds = this.#folder.state.assignment.maxRuntimeSeconds;
    if (seconds === null) return null;
    const left = Math.max(0, startedAt + seconds * 1000 - Date.now());
    // setTimeout counts to 2^31 − 1 ms, 24 days.
    const next = Math.min(left, 2 ** 31 - 1);
    return setTimeout(() => this.stop({ reason: 'max_runtime', detail: `${seconds} s` }), next);
  }

  #dirs(mounts: JobDirs['mounts']): JobDirs {
    const { codeDir, outputDir, homeDir, tmpDir, runDir } = this.#folder;
    return { code: codeDir, output: outputDir, home: homeDir, tmp: tmpDir, run: runDir, mounts };
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

  async #endEarly(error: unknown): Promise<void> {
    const why = this.#over.signal.aborted ? this.#over.signal.reason : error;
    if (why instanceof Left) {
      this.#stopper?.leave();
      return;
    }
    await this.#killLeft();
    if (!(why instanceof Lost) && !isStale(why)) {
      const cause = why instanceof Broken ? why.cause : why;
      await tellFailure(this.#deps, this.#folder.state, cause);
    }
    await this.#folder.remove();
  }

  /** Nothing of the job may run on when its folder goes. */
  async #killLeft(): Promise<void> {
    const { process: job } = this.#folder.state;
    if (!job) return;
    const stopper = this.#stopper ?? new Stopper(this.#deps.runner, job, this.#folder.runDir);
    stopper.kill();
    await waitForExit(job, this.#folder.runDir, AbortSignal.timeout(10_000)).catch((error: unknown) => {
      this.#deps.log.warn({ err: error, ...this.proof }, 'the job did not end by SIGKILL');
    });
    stopper.ended();
  }

  async #close(): Promise<void> {
    this.#sender.stop();
    this.#metrics.close();
    this.#events.stop();
    this.#book.close();
    await this.#mounts?.release();
    this.#share.release();
  }
}

/** What the environment of every process of an attempt holds, and of no other. */
export const markerOf = ({ jobId, attempt, fence }: AttemptProof): string => `${jobId}.${attempt}.${fence}`;
