import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ManifestFile } from '@mycloud/snapshots';
import type { Deps } from '../deps.js';
import { EventFolder, eventFilesOf } from './event-folder.js';
import type { ShownJob } from './jobs.js';
import { startTensorboard, type TensorboardProcess } from './process.js';
import type { SavedOutputs } from './saved-outputs.js';

/** TensorBoard serves before it has read all; a page opened then would say that there is nothing, for half a minute. */
const firstReadMs = 3000;

/** One TensorBoard with the event files it shows, which are kept as new as the last output its jobs have saved. */
export class Board {
  phase: 'starting' | 'ready' | 'ended' | 'no_events' = 'starting';
  /** Why it ended. */
  words: string | null = null;
  process: TensorboardProcess | undefined;
  usedAt = Date.now();
  /** Event files that the limit of bytes leaves out. */
  leftOut = 0;
  private readonly folders: { job: ShownJob; events: EventFolder; snapshotId: string | undefined }[];
  private refreshing: Promise<void> = Promise.resolve();

  constructor(
    private readonly deps: Deps,
    private readonly outputs: SavedOutputs,
    jobs: readonly ShownJob[],
    private readonly dir: string,
  ) {
    this.folders = jobs.map((job) => ({
      job,
      events: new EventFolder(deps, path.join(dir, 'runs', runOf(job, jobs))),
      snapshotId: undefined,
    }));
  }

  /** Ends in one of the phases, and never fails. */
  async start(program: string): Promise<void> {
    try {
      await mkdir(path.join(this.dir, 'runs'), { recursive: true });
      await mkdir(path.join(this.dir, 'scratch'));
      await this.refresh();
      if (this.folders.every(({ events }) => events.runs === 0)) return await this.end('no_events', null);
      if (!this.isStarting()) return;
      const [runs, scratch] = [path.join(this.dir, 'runs'), path.join(this.dir, 'scratch')];
      const started = await startTensorboard(program, runs, scratch);
      // Ended meanwhile: nobody else knows of the process.
      if (!this.isStarting()) return started.stop();
      this.process = started;
      void started.ended.then((words) => this.end('ended', words));
      await this.firstRead(started);
      if (!this.isStarting()) return;
      this.usedAt = Date.now();
      this.phase = 'ready';
    } catch (error) {
      this.deps.log.warn({ err: error }, 'TensorBoard could not be started');
      await this.end('ended', (error as Error).message);
    }
  }

  /** Brings what its jobs have saved since to the disk. */
  refresh(): Promise<void> {
    const next = this.refreshing.then(() => this.update());
    this.refreshing = next.catch(() => undefined);
    return next;
  }

  /** Ends it and gives its disk back. The first reason stays. */
  async end(phase: 'ended' | 'no_events', words: string | null): Promise<void> {
    if (this.phase === 'ended' || this.phase === 'no_events') return;
    this.phase = phase;
    this.words = words;
    this.process?.stop();
    await this.refreshing;
    await rm(this.dir, { recursive: true, force: true, maxRetries: 3 });
  }

  private isStarting(): boolean {
    return this.phase === 'starting';
  }

  private async update(): Promise<void> {
    const saved = await Promise.all(this.folders.map(({ job }) => this.outputs.of(job.id)));
    if (saved.every((output, i) => output?.id === this.folders[i]!.snapshotId)) return;
    let room = this.deps.config.tensorboard.bytes;
    let leftOut = 0;
    for (const [i, folder] of this.folders.entries()) {
      if (this.phase === 'ended') return;
      const output = saved[i];
      const files: ManifestFile[] = [];
      for (const file of output ? eventFilesOf(await this.outputs.entries(output)) : []) {
        if (file.size > room) leftOut++;
        else {
          room -= file.size;
          files.push(file);
        }
      }
      if (output) await folder.events.update(output.ownerId, files);
      folder.snapshotId = output?.id;
    }
    this.leftOut = leftOut;
  }

  private async firstRead({ port, prefix }: TensorboardProcess): Promise<void> {
    const runs = this.folders.reduce((sum, { events }) => sum + events.runs, 0);
    const end = Date.now() + firstReadMs;
    while (Date.now() < end && this.isStarting()) {
      const response = await fetch(`http://127.0.0.1:${port}${prefix}/data/runs`);
      // While it begins to read it answers with errors, too.
      const read = response.ok ? ((await response.json()) as string[]) : [];
      if (read.length >= runs) return;
      await sleep(50);
    }
  }
}

/** The folder of a job's runs: none where it is alone, its project and number among several, with its owner where they differ. */
function runOf(job: ShownJob, all: readonly ShownJob[]): string {
  if (all.length === 1) return '.';
  const parts = [job.project, String(job.number)];
  return path.join(...(all.every((one) => one.owner === job.owner) ? parts : [job.owner, ...parts]));
}
