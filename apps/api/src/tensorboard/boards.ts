import { rm } from 'node:fs/promises';
import path from 'node:path';
import { AppError, type Tensorboard } from '@mycloud/shared';
import type { Deps } from '../deps.js';
import { openScratchFolder } from '../scratch-folder.js';
import { Board } from './board.js';
import { eventFilesOf } from './event-folder.js';
import type { ShownJob } from './jobs.js';
import { findTensorboard } from './program.js';
import type { SavedOutputs } from './saved-outputs.js';

const lookMs = 2000;

type State = Pick<Tensorboard, 'state' | 'message' | 'command'>;

/**
 * The TensorBoards of this api: one for each set of jobs, shared by all who look at it, ended when nobody has asked for
 * long, when it takes too much memory, or for another one. With several apis each set of jobs belongs to one of them
 * (peers/peers.ts); should that go, the next starts its own from what the jobs have saved.
 */
export class Boards {
  private readonly boards = new Map<string, { board: Board; started: Promise<void> }>();
  private folder: Promise<string> | undefined;
  private count = 0;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(
    private readonly deps: Deps,
    private readonly outputs: SavedOutputs,
  ) {}

  async state(jobs: readonly ShownJob[]): Promise<State> {
    const found = this.boards.get(keyOf(jobs));
    if (found) {
      found.board.usedAt = Date.now();
      return viewBoard(found.board);
    }
    if (!(await findTensorboard(this.deps.config))) return this.notInstalled();
    for (const job of jobs) {
      const output = await this.outputs.of(job.id);
      if (output && eventFilesOf(await this.outputs.entries(output)).length > 0)
        return { state: 'off', message: null, command: null };
    }
    return { state: 'no_events', message: null, command: null };
  }

  /** Starts it unless it runs, and waits until it serves or can't. */
  async start(jobs: readonly ShownJob[]): Promise<State> {
    const key = keyOf(jobs);
    const known = this.boards.get(key);
    if (!known || known.board.phase === 'ended') {
      const program = await findTensorboard(this.deps.config);
      if (!program) return this.notInstalled();
      this.folder ??= openScratchFolder(this.deps.config.home, 'tensorboards').catch((error) => {
        // Such as of a full disk: the next one tries again.
        this.folder = undefined;
        throw error;
      });
      const folder = await this.folder;
      // Of two that ask at once the first has begun it meanwhile.
      if (this.boards.get(key) === known) this.begin(key, jobs, program, folder);
    }
    const { board, started } = this.boards.get(key)!;
    board.usedAt = Date.now();
    await started;
    return viewBoard(board);
  }

  /**
   * Where its requests go; it is started when it isn't running.
   * @param again also when it died, or had to go
   * @throws AppError unavailable, with why
   */
  async reach(jobs: readonly ShownJob[], again: boolean): Promise<{ port: number; prefix: string }> {
    const ended = this.boards.get(keyOf(jobs))?.board.phase === 'ended' && !again;
    const { state, message } = ended ? await this.state(jobs) : await this.start(jobs);
    const process = this.boards.get(keyOf(jobs))?.board.process;
    if (state === 'ready' && process) return process;
    throw new AppError('unavailable', message ?? 'these jobs have saved no event files yet', {
      hint: 'Open the TensorBoard tab of the job: it says what can be done.',
    });
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    await Promise.all([...this.boards.values()].map(({ board }) => board.end('ended', 'the server stopped')));
    if (this.folder) await rm(await this.folder, { recursive: true, force: true });
  }

  private notInstalled(): State {
    const { tensorboard, embedded } = this.deps.config;
    const message = tensorboard.program
      ? `MYCLOUD_TENSORBOARD names ${tensorboard.program}, which is no program of this server.`
      : 'TensorBoard is not installed on this server.';
    return {
      state: 'not_installed',
      message: embedded ? message : `${message} Put it into its PATH, or name it by MYCLOUD_TENSORBOARD.`,
      command: embedded && !tensorboard.program ? 'mycloud env build tensorboard' : null,
    };
  }

  private begin(key: string, jobs: readonly ShownJob[], program: string, folder: string): void {
    const { max } = this.deps.config.tensorboard;
    const running = [...this.boards.values()].filter(({ board }) => isRunning(board));
    running.sort((a, b) => a.board.usedAt - b.board.usedAt);
    for (const { board } of running.slice(0, Math.max(0, running.length + 1 - max))) {
      void board.end('ended', `another one took its place: this server runs ${max} at once`);
    }
    const board = new Board(this.deps, this.outputs, jobs, path.join(folder, String(++this.count)));
    this.boards.set(key, { board, started: board.start(program) });
    this.timer ??= setTimeout(() => void this.look(), lookMs);
  }

  private async look(): Promise<void> {
    const { idleSeconds, memoryBytes } = this.deps.config.tensorboard;
    for (const [key, { board }] of this.boards) {
      if (board.phase === 'starting') continue;
      if (board.phase === 'no_events') this.boards.delete(key);
      if (Date.now() - board.usedAt > idleSeconds * 1000) {
        this.boards.delete(key);
        await board.end('ended', null);
      }
      if (board.phase !== 'ready') continue;
      const used = (await board.process?.memoryBytes()) ?? 0;
      if (used > memoryBytes) {
        const [has, may] = [used, memoryBytes].map((bytes) => (bytes / 2 ** 30).toFixed(1));
        await board.end('ended', `it took ${has} GiB of memory, of ${may} that it may`);
      } else {
        await board
          .refresh()
          .catch((error: unknown) => this.deps.log.warn({ err: error }, 'event files could not be brought'));
      }
    }
    if (!this.closed) this.timer = setTimeout(() => void this.look(), lookMs);
  }
}

/** Of the TensorBoard of these jobs, in whichever order they are named. */
export const keyOf = (jobs: readonly ShownJob[]): string =>
  jobs
    .map((job) => job.id)
    .sort()
    .join();

const isRunning = (board: Board): boolean => board.phase === 'starting' || board.phase === 'ready';

function viewBoard({ phase, words, leftOut }: Board): State {
  const message =
    phase === 'ended'
      ? `TensorBoard has ended: ${words}.`
      : leftOut > 0
        ? `${leftOut} event files are left out: together they are larger than MYCLOUD_TENSORBOARD_BYTES.`
        : null;
  return { state: phase, message, command: null };
}
