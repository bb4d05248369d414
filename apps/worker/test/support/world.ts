import { type ChildProcess, spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Assignment } from '@mycloud/shared';
import { afterAll } from 'vitest';
import { type Podman, startPodman, wantPodman } from '../../../../test/support/podman.js';
import { wantProgram } from '../../../../test/support/require.js';
import {
  cgroupLines,
  logs,
  type OneNodeSlurm,
  startSlurm,
  wantSlurm,
} from '../../../../test/support/slurm.js';
import { type Attempt, type FakeApi, startFakeApi } from './fake-api.js';

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

export type RunnerName = 'process' | 'bubblewrap' | 'docker' | 'slurm';
/** Those that run a command in an environment of this machine. */
export const localRunners: RunnerName[] = [
  'process',
  ...(wantProgram('bwrap') ? ['bubblewrap' as const] : []),
];
/** Those that work here: every test of a runner is for all of them. */
export const runners: RunnerName[] = [
  ...localRunners,
  ...(wantPodman() ? ['docker' as const] : []),
  ...(wantSlurm() ? ['slurm' as const] : []),
];

/** Waits for a condition, at most 30 s unless said. */
export async function until<T>(
  look: () => T | Promise<T>,
  what: string,
  seconds = 30,
): Promise<NonNullable<T>> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const found = await look();
    if (found) return found as NonNullable<T>;
    if (Date.now() > end) throw new Error(`waited ${seconds} s for ${what}`);
    await sleep(10);
  }
}

export interface WorkerProcess {
  child: ChildProcess;
  /** Everything it logged. */
  output(): string;
  /** SIGKILL, as a crash would. */
  crash(): Promise<void>;
  /** SIGTERM. */
  stop(): Promise<void>;
}

/** Behind the docker runners of a test file: it starts in seconds. */
let podmanOfFile: Promise<Podman> | null = null;
afterAll(async () => (await podmanOfFile)?.stop());
/** The same behind the slurm runners. */
let slurmOfFile: Promise<OneNodeSlurm> | null = null;
afterAll(async () => (await slurmOfFile)?.stop());
/** Workers that a failed test left running; hooks run the last first. */
const left = new Set<WorkerProcess>();
afterAll(() => Promise.all([...left].map((worker) => worker.crash())));

/** As a lab has it: memory by cgroups, two GPUs, which are character devices that harm nobody. */
export const startLab = (lines: string[] = []): Promise<OneNodeSlurm> =>
  startSlurm({
    slots: 32,
    node: 'RealMemory=64000 Gres=gpu:2',
    lines: ['SelectTypeParameters=CR_Core_Memory', 'DefMemPerCPU=100', ...lines],
    cgroup: cgroupLines,
    gres: ['Name=gpu File=/dev/zero', 'Name=gpu File=/dev/full'],
    partitions: ['PartitionName=cpu Nodes=ALL Default=YES State=UP', 'PartitionName=gpu Nodes=ALL State=UP'],
  });

/** An api, a worker's home, and real worker processes on them. */
export class World {
  #workers: WorkerProcess[] = [];
  #podman: Podman | null = null;
  #slurm: OneNodeSlurm | null = null;
  private constructor(
    readonly api: FakeApi,
    readonly home: string,
  ) {}

  static async open(options: { leaseSeconds?: number } = {}): Promise<World> {
    return new World(await startFakeApi(options), mkdtempSync(path.join(tmpdir(), 'worker-test-')));
  }

  async start(runner: RunnerName, env: Record<string, string> = {}): Promise<WorkerProcess> {
    if (runner === 'docker') {
      podmanOfFile ??= startPodman();
      this.#podman = await podmanOfFile;
    }
    if (runner === 'slurm') {
      slurmOfFile ??= startLab();
      this.#slurm = await slurmOfFile;
    }
    const child = spawn(process.execPath, [main], {
      env: {
        PATH: process.env.PATH ?? '',
        MYCLOUD_URL: this.api.url,
        MYCLOUD_WORKER_TOKEN: 'secret-of-the-worker',
        MYCLOUD_WORKER_HOME: this.home,
        MYCLOUD_WORKER_NAME: 'box',
        MYCLOUD_RUNNER: runner,
        MYCLOUD_GRACE_SECONDS: '1',
        MYCLOUD_DOCKER: this.#podman?.address ?? 'off',
        MYCLOUD_DOCKER_NETWORK: 'none',
        ...(this.#slurm ? slurmEnv(this.#slurm) : {}),
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    child.stdout.on('data', (bytes) => (output += bytes));
    child.stderr.on('data', (bytes) => (output += bytes));
    const end = async (signal: NodeJS.Signals): Promise<void> => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill(signal);
      await ended;
      left.delete(worker);
    };
    const worker: WorkerProcess = {
      child,
      output: () => output,
      crash: () => end('SIGKILL'),
      stop: () => end('SIGTERM'),
    };
    this.#workers.push(worker);
    left.add(worker);
    await until(
      () => {
        if (child.exitCode !== null) throw new Error(`the worker ended: ${output}`);
        return output.includes('"ready"');
      },
      'the worker',
      60,
    );
    return worker;
  }

  /** Queues a job. */
  submit(command: string, more: Partial<Assignment> = {}): string {
    const jobId = randomUUID();
    this.api.queue.push({
      jobId,
      name: 'lab/projects/x/1',
      owner: 'lab',
      attempt: 1,
      fence: 1,
      leaseSeconds: 3,
      traceparent: null,
      command,
      env: {},
      machine: { name: 'cpu', cores: 1, memoryBytes: 2 ** 30, gpus: 0 },
      environment: this.#podman
        ? { name: 'image:test', description: '', requirements: [], image: this.#podman.image }
        : { name: 'default', description: '', interpreter: 'node', requirements: [] },
      mounts: [],
      code: null,
      restore: null,
      mode: 'command',
      tensorboard: false,
      maxRuntimeSeconds: null,
      idleSeconds: null,
      jupyterToken: null,
      notes: [],
      ...more,
    });
    return jobId;
  }

  /** The folder of its jobs' cgroups. */
  get cells(): string {
    return `mycloud-${createHash('sha256').update(this.home).digest('hex').slice(0, 12)}`;
  }

  get podman(): Podman {
    if (!this.#podman) throw new Error('this world has no docker runner');
    return this.#podman;
  }

  get slurm(): OneNodeSlurm {
    if (!this.#slurm) throw new Error('this world has no slurm runner');
    return this.#slurm;
  }

  attempt(jobId: string): Attempt | undefined {
    return this.api.attempts.get(jobId);
  }

  /** The attempt once it has ended. @throws Error with all that is known of it when it doesn't */
  async finished(jobId: string, seconds?: number): Promise<Attempt> {
    const ended = () => {
      const attempt = this.attempt(jobId);
      return attempt?.finish ? attempt : null;
    };
    try {
      return await until(ended, 'the end of the job', seconds);
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${await this.#known(jobId)}`);
    }
  }

  async #known(jobId: string): Promise<string> {
    const { statuses, lines } = this.attempt(jobId) ?? {};
    const said = this.#workers.map((worker) => worker.output().slice(-4000));
    const inSlurm = await this.#slurm?.run('scontrol', 'show', 'jobs').catch(String);
    const stood = this.#slurm && logs(this.#slurm.dir);
    return [JSON.stringify({ statuses, lines: lines?.slice(-20) }), ...said, inSlurm, stood].join('\n');
  }

  /** Waits for a line of the job. */
  line(jobId: string, text: string): Promise<unknown> {
    return until(() => this.attempt(jobId)?.lines.some((line) => line.text === text), `the line ${text}`);
  }

  stopJob(jobId: string): void {
    this.api.command({ type: 'stop', jobId, attempt: 1, reason: 'stopped_by_user', detail: 'anna' });
  }

  /** @param afterwards when its workers have ended and before its folder goes */
  async close(afterwards?: () => void): Promise<void> {
    for (const jobId of this.api.attempts.keys()) this.stopJob(jobId);
    const open = [...this.api.attempts.values()].filter((attempt) => !attempt.finish && !attempt.stale);
    if (this.api.streams() > 0) await until(() => open.every((attempt) => attempt.finish), 'jobs to end');
    for (const worker of this.#workers) await worker.stop();
    await this.api.close();
    afterwards?.();
    rmSync(this.home, { recursive: true, force: true });
  }
}

const slurmEnv = ({ conf }: OneNodeSlurm): Record<string, string> => ({
  SLURM_CONF: conf,
  MYCLOUD_SLURM_PARTITIONS: 'cpu=cpu,cpu2=cpu,gpu=gpu,gpu2=gpu',
  MYCLOUD_SLURM_POLL_SECONDS: '0.5',
  MYCLOUD_SLURM_FILE_SECONDS: '2',
});

/** What the job itself printed. */
export const jobLines = (attempt: Attempt): string[] =>
  attempt.lines.filter((line) => line.source === 'job').map((line) => line.text);
