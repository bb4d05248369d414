import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { descendants } from '../support/processes.js';

export interface ProgramSpec {
  name: string;
  command: string;
  args: string[];
  env: Record<string, string | undefined>;
  uid?: number;
  gid?: number;
  /** Where what it says goes. */
  logFile: string;
  stopSignal: NodeJS.Signals;
}

const restartMs = 200;
const graceMs = 20_000;

/** A process that is started again whenever it ends, as a service is, and that an adversary can do things to. */
export class Program {
  #spec: ProgramSpec;
  #child: ChildProcess | undefined;
  #wanted = false;
  #timer: NodeJS.Timeout | undefined;
  #read = 0;

  constructor(spec: ProgramSpec) {
    this.#spec = spec;
  }

  get name(): string {
    return this.#spec.name;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** What it has said. */
  get said(): string {
    return readFileSync(this.#spec.logFile, 'utf8');
  }

  /** What it has said since this was asked last. */
  saidSince(): string {
    const { said } = this;
    const fresh = said.slice(this.#read);
    this.#read = said.length;
    return fresh;
  }

  start(): void {
    this.#wanted = true;
    this.#launch();
  }

  /** SIGKILL; it stays down until it is started. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  /** As an orderly end of a service. @returns whether it obeyed */
  async stop(): Promise<boolean> {
    this.wake();
    const late = setTimeout(() => this.#child?.kill('SIGKILL'), graceMs);
    const signal = await this.#end(this.#spec.stopSignal);
    clearTimeout(late);
    return signal !== 'SIGKILL';
  }

  /** SIGSTOP to it and its helpers. */
  pause(): void {
    this.#signal('SIGSTOP');
  }

  wake(): void {
    this.#signal('SIGCONT');
  }

  #signal(signal: NodeJS.Signals): void {
    const root = this.#child?.pid;
    if (root === undefined) return;
    // A worker's jobs are of sessions of their own and go on.
    const family = this.name === 'postgres' ? descendants(root, /postgres/) : [];
    for (const pid of [root, ...family]) {
      try {
        process.kill(pid, signal);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
  }

  async #end(signal: NodeJS.Signals): Promise<NodeJS.Signals | null> {
    this.#wanted = false;
    clearTimeout(this.#timer);
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return null;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
    return child.signalCode;
  }

  #launch(): void {
    const { command, args, env, uid, gid, logFile } = this.#spec;
    const log = openSync(logFile, 'a');
    const child = spawn(command, args, { env, uid, gid, stdio: ['ignore', log, log], detached: true });
    closeSync(log);
    this.#child = child;
    child.once('exit', () => {
      if (this.#wanted) this.#timer = setTimeout(() => this.#launch(), restartMs);
    });
    child.once('error', (error) => {
      throw error;
    });
  }
}

/** Waits until `probe` answers true, asking again when it fails. @throws after the time */
export async function untilTrue(what: string, probe: () => Promise<boolean>, seconds: number): Promise<void> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    if (await probe().catch(() => false)) return;
    if (Date.now() > end) throw new Error(`waited ${seconds} s in vain: ${what}`);
    await sleep(50);
  }
}
