import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { listProcesses } from '@mycloud/processes';
import type { BuiltEnvironment } from '@mycloud/shared';
import { z } from 'zod';
import { readJson, writeJson } from '../atomic-file.js';
import { isDiskFull } from '../disk/room.js';
import { diskUsage } from '../disk/usage.js';
import { claim, claimant } from './builder-claim.js';
import type { Asker } from './environment.js';
import { killLeftovers } from './run-program.js';
import { SharedBuilds } from './shared-builds.js';

const recordSchema = z.object({
  environment: z.string(),
  packages: z.array(z.string()),
  /** Other folders of the shelf that it stands on. */
  needs: z.array(z.string()),
  bytes: z.number(),
  builtAt: z.number(),
});

/** What one folder is made of. */
export interface Recipe {
  /** Of the content: the same name is the same thing. */
  name: string;
  /** Of the environment that wants it. */
  environment: string;
  packages: string[];
  /** Makes it in `dir`. @returns other folders of the shelf that it stands on */
  make(dir: string, all: Asker): Promise<string[]>;
}

export interface ShelfOptions {
  root: string;
  /** All it may hold; what was used longest ago goes first. */
  maxBytes: number;
}

/**
 * Built folders, named by their content. A record beside each says that it is whole; holds: a folder without one is
 * being built by a living process, or is removed when the shelf is opened or it is asked for.
 */
export class Shelf {
  #root: string;
  #maxBytes: number;
  #builds = new SharedBuilds();
  #held = new Map<string, number>();
  #listeners: (() => void)[] = [];

  constructor({ root, maxBytes }: ShelfOptions) {
    this.#root = root;
    this.#maxBytes = maxBytes;
  }

  /** Removes what earlier processes left half made or half removed. */
  async sweep(): Promise<void> {
    await mkdir(this.#root, { recursive: true });
    for (const entry of readdirSync(this.#root)) {
      const name = /^(python-[0-9a-f]{16}|tensorflow-[0-9a-f]{16}|\.gone-.*)/.exec(entry)?.[1];
      if (name && !this.#isWhole(name) && !claimant(this.#ownerFile(name))) await this.#clear(name);
    }
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** The recipe's folder, made unless it is there: once, however many ask at the same time. It is held. */
  async get(recipe: Recipe, asker: Asker): Promise<{ dir: string; release: () => void }> {
    const { name } = recipe;
    const dir = path.join(this.#root, name);
    const release = this.hold([name]);
    try {
      while (!this.#isWhole(name)) {
        await this.#builds.run(name, describe(recipe), asker, (all) => this.#build(recipe, dir, all));
      }
      this.#touch(name);
      return { dir, release };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Notes that it was used, and what it stands on. */
  #touch(name: string): void {
    const now = new Date();
    const { needs } = recordSchema.parse(readJson(this.#recordFile(name)));
    for (const one of [name, ...needs]) {
      if (this.#isWhole(one)) utimesSync(this.#recordFile(one), now, now);
    }
  }

  hold(names: readonly string[]): () => void {
    const add = (n: number): void => {
      for (const name of names) this.#held.set(name, (this.#held.get(name) ?? 0) + n);
    };
    add(1);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      add(-1);
      // That it may be removed is news.
      if (names.length > 0) this.#changed();
    };
  }

  get built(): BuiltEnvironment[] {
    const records = this.#records();
    // Asked with every heartbeat: a worker that has built nothing looks at no process.
    const running = records.length > 0 ? commandLines() : [];
    return records.map(({ name, record, usedAt }) => ({
      id: name,
      environment: record.environment,
      packages: record.packages.slice(0, 100),
      bytes: record.bytes,
      builtAt: new Date(record.builtAt).toISOString(),
      usedAt: usedAt.toISOString(),
      inUse: this.#isUsed(name, running),
    }));
  }

  /** Removes one, with what stands on it, unless that is in use. @returns whether it is gone */
  async remove(name: string): Promise<boolean> {
    const all = this.#records();
    const gone = [name, ...all.filter(({ record }) => record.needs.includes(name)).map((one) => one.name)];
    const running = commandLines();
    if (gone.some((one) => this.#isUsed(one, running))) return false;
    // Renamed at once, so that nobody finds half of it.
    const aside = gone
      .filter((one) => existsSync(path.join(this.#root, one)))
      .map((one) => {
        rmSync(this.#recordFile(one), { force: true });
        const to = path.join(this.#root, `.gone-${one}-${process.pid}`);
        renameSync(path.join(this.#root, one), to);
        return to;
      });
    for (const dir of aside) await rm(dir, { recursive: true, force: true, maxRetries: 3 });
    this.#changed();
    return true;
  }

  /** Removes the caches of pip and uv, or else what was used longest ago. @returns whether there was anything */
  async makeRoom(): Promise<boolean> {
    const caches = path.join(this.#root, '.cache');
    if (!this.#builds.any && existsSync(caches)) {
      await rm(caches, { recursive: true, force: true, maxRetries: 3 });
      return true;
    }
    return this.#removeOldest();
  }

  async #removeOldest(): Promise<boolean> {
    const byUse = this.#records().sort((a, b) => a.usedAt.getTime() - b.usedAt.getTime());
    for (const { name } of byUse) if (await this.remove(name)) return true;
    return false;
  }

  async #build(recipe: Recipe, dir: string, all: Asker): Promise<void> {
    const { name, environment, packages } = recipe;
    await mkdir(this.#root, { recursive: true });
    const wait = (pid: number): void =>
      all.say(`${describe(recipe)} is being built by process ${pid}; waiting for it`);
    await claim(this.#ownerFile(name), wait, all.signal);
    try {
      if (this.#isWhole(name)) return;
      await this.#clear(name, true);
      const began = Date.now();
      const needs = await this.#make(recipe, dir, all);
      const bytes = await diskUsage(dir);
      all.signal.throwIfAborted();
      writeJson(this.#recordFile(name), { environment, packages, needs, bytes, builtAt: Date.now() });
      const seconds = ((Date.now() - began) / 1000).toFixed(1);
      all.say(`built in ${seconds} s, ${(bytes / 1e6).toFixed(0)} MB; kept for the jobs after this one`);
    } catch (error) {
      await this.#clear(name, true);
      throw error;
    } finally {
      rmSync(this.#ownerFile(name), { force: true });
    }
    await this.#keepWithin(name);
    this.#changed();
  }

  /** Where the disk is full, what isn't used makes room, as often as there is something. */
  async #make(recipe: Recipe, dir: string, all: Asker): Promise<string[]> {
    for (;;) {
      try {
        return await recipe.make(dir, all);
      } catch (error) {
        if (!isDiskFull(error)) throw error;
        await rm(dir, { recursive: true, force: true, maxRetries: 3 });
        if (!(await this.#removeOldest())) throw error;
        all.say(
          'the disk is full: an environment that was not used for longest is removed, and this one begun anew',
        );
      }
    }
  }

  async #keepWithin(newest: string): Promise<void> {
    const sum = () => this.#records().reduce((bytes, { record }) => bytes + record.bytes, 0);
    const release = this.hold([newest]);
    while (sum() > this.#maxBytes) if (!(await this.#removeOldest())) break;
    release();
  }

  /** @param keepOwner the caller's own claim to build it stays */
  async #clear(name: string, keepOwner = false): Promise<void> {
    killLeftovers(path.join(this.#root, name));
    rmSync(this.#recordFile(name), { force: true });
    for (const end of ['', '.code']) {
      await rm(path.join(this.#root, name + end), { recursive: true, force: true, maxRetries: 3 });
    }
    if (!keepOwner) rmSync(this.#ownerFile(name), { force: true });
  }

  /** By a job of this worker, or any program that was started out of it, such as TensorBoard. */
  #isUsed(name: string, running: readonly string[]): boolean {
    if ((this.#held.get(name) ?? 0) > 0 || this.#builds.has(name)) return true;
    const bin = path.join(this.#root, name, 'bin') + path.sep;
    return running.some((line) => line.includes(bin));
  }

  #records(): { name: string; record: z.output<typeof recordSchema>; usedAt: Date }[] {
    const names = existsSync(this.#root)
      ? readdirSync(this.#root).filter((name) => name.endsWith('.json'))
      : [];
    return names.flatMap((file) => {
      const name = file.slice(0, -'.json'.length);
      const { data: record } = recordSchema.safeParse(readJson(this.#recordFile(name)));
      return record ? [{ name, record, usedAt: statSync(this.#recordFile(name)).mtime }] : [];
    });
  }

  #isWhole(name: string): boolean {
    return existsSync(this.#recordFile(name)) && existsSync(path.join(this.#root, name));
  }

  #recordFile = (name: string): string => path.join(this.#root, `${name}.json`);
  #ownerFile = (name: string): string => path.join(this.#root, `${name}.builder`);

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** keras-2.15 (tensorflow-cpu==2.15.1 pillow scipy) */
const describe = ({ environment, packages }: Recipe): string =>
  packages.length > 0
    ? `${environment} (${packages.slice(0, 8).join(' ')}${packages.length > 8 ? ' …' : ''})`
    : environment;

const commandLines = (): string[] => listProcesses().map(({ pid }) => commandLine(pid));

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    // It ended meanwhile, is another user's, or the system has no /proc.
    return '';
  }
}
