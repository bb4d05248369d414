import type { Assignment, AttemptProof, WorkerCommand } from '@mycloud/shared';
import { type AttemptFolder, createAttemptFolder } from './attempt-folder.js';
import type { Capacity } from './capacity.js';
import type { WorkerDeps } from './deps.js';
import { Execution } from './execution.js';
import { tellFailure } from './failure.js';
import { Dialler } from './tunnels/dialler.js';

const keyOf = (proof: { jobId: string; attempt: number }): string => `${proof.jobId}.${proof.attempt}`;

/** The attempts that run here. */
export class Roster {
  #executions = new Map<string, Execution>();
  #dialler: Dialler;

  constructor(
    readonly deps: WorkerDeps,
    readonly attemptsDir: string,
    readonly capacity: Capacity,
  ) {
    this.#dialler = new Dialler(deps);
  }

  get proofs(): AttemptProof[] {
    return [...this.#executions.values()].map((execution) => execution.proof);
  }

  /** Begins a claimed attempt, or tells the api that it can't. */
  async begin(assignment: Assignment): Promise<void> {
    const share = this.capacity.take(assignment.machine);
    let folder: AttemptFolder | undefined;
    try {
      folder = createAttemptFolder(this.attemptsDir, assignment);
      this.add(new Execution(this.deps, folder, share));
    } catch (error) {
      share.release();
      await folder?.remove();
      await tellFailure(this.deps, { assignment }, error);
    }
  }

  add(execution: Execution): void {
    const key = keyOf(execution.proof);
    this.#executions.set(key, execution);
    void execution.done.then(() => this.#executions.delete(key));
  }

  /** Carries out an order of the api; one for an attempt that isn't here is over. */
  command(command: WorkerCommand): void {
    if (command.type === 'dial') {
      void this.#dialler.dial(command, this.#executions.get(keyOf(command))?.running ?? null);
      return;
    }
    if (command.type !== 'stop') return;
    this.#executions.get(keyOf(command))?.stop({ reason: command.reason, detail: command.detail });
  }

  refused(proofs: readonly AttemptProof[]): void {
    for (const proof of proofs) {
      const execution = this.#executions.get(keyOf(proof));
      if (execution?.proof.fence === proof.fence) execution.lose();
    }
  }

  /** Leaves all running jobs to the next worker. */
  async leave(): Promise<void> {
    await this.#dialler.close();
    const all = [...this.#executions.values()];
    for (const execution of all) execution.leave();
    await Promise.all(all.map((execution) => execution.done));
  }
}
